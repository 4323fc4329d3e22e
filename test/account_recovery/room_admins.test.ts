import { expect, test } from '@jest/globals';
import { RoomAdmins } from '../../src/account_recovery/room_admins.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { silentLog } from '../../src/system/log.ts';

const BOB = '@bob:a';

interface Room {
  readonly users?: JsonObject;
  readonly events?: JsonObject;
  readonly joined: readonly string[];
  readonly create?: JsonObject;
}

/** A homeserver that knows these rooms, and tells them to the registration alone. */
function adminsIn(rooms: Readonly<Record<string, Room>>) {
  const asked: string[] = [];
  const answerTo = (path: string): JsonObject | undefined => {
    if (path.startsWith('/_matrix/client/v3/joined_rooms')) return { joined_rooms: Object.keys(rooms) };
    const [, name = '', rest = ''] = /\/rooms\/([^/]+)\/([^?]+)/.exec(path) ?? [];
    const room = rooms[decodeURIComponent(name)];
    if (room === undefined) return undefined;
    if (rest === 'state/m.room.power_levels/')
      return room.users && { users: room.users, events: room.events ?? {} };
    if (rest === 'state/m.room.create/') return room.create;
    return { joined: Object.fromEntries(room.joined.map((user) => [user, {}])) };
  };
  const admins = new RoomAdmins({
    homeserver: {
      call: async ({ path, token }) => {
        asked.push(path);
        const json = token === 'as_token' ? answerTo(path) : undefined;
        return {
          status: json === undefined ? 404 : 200,
          json: json ?? {},
          headers: {},
          body: Buffer.alloc(0),
        } as never;
      },
    },
    registration: { asToken: 'as_token' },
    log: silentLog,
  });
  return { admins, asked };
}

test('those who may change the levels where the user may, and who are there; each once', async () => {
  const { admins, asked } = adminsIn({
    '!one:a': {
      users: { [BOB]: 100, '@carol:a': 100, '@left:a': 100, '@dan:a': 20 },
      joined: [BOB, '@carol:a', '@dan:a'],
    },
    '!two:a': { users: { [BOB]: 50, '@carol:a': 50, '@erin:b': 50 }, joined: [BOB, '@carol:a', '@erin:b'] },
  });
  expect(await admins.of(BOB)).toEqual(['@carol:a', '@erin:b']);
  expect(asked.every((path) => path.includes(`user_id=${encodeURIComponent(BOB)}`))).toBe(true);
});

test('no one of a conversation of two, and of a room that the user does not administer', async () => {
  const { admins } = adminsIn({
    '!dm:a': { users: { [BOB]: 100, '@carol:a': 100 }, joined: [BOB, '@carol:a'] },
    '!big:a': { users: { '@carol:a': 100 }, joined: [BOB, '@carol:a', '@dan:a'] },
    '!strict:a': {
      users: { [BOB]: 50, '@carol:a': 100 },
      events: { 'm.room.power_levels': 100 },
      joined: [BOB, '@carol:a', '@dan:a'],
    },
  });
  expect(await admins.of(BOB)).toEqual([]);
});

test('creators of a room of version 12 stand above its levels; of older ones they do not', async () => {
  const joined = [BOB, '@carol:a', '@dan:a'];
  const create = (room_version: string) => ({
    sender: '@carol:a',
    content: { room_version, additional_creators: [BOB] },
  });
  const { admins } = adminsIn({ '!new:a': { users: {}, joined, create: create('12') } });
  expect(await admins.of(BOB)).toEqual(['@carol:a']);
  const older = adminsIn({ '!old:a': { users: {}, joined, create: create('11') } });
  expect(await older.admins.of(BOB)).toEqual([]);
});

test('a homeserver that hangs is asked nothing more when the time is over; what was learnt before stays', async () => {
  let asked = 0;
  const ended: boolean[] = [];
  const slow = new RoomAdmins({
    homeserver: {
      call: ({ path, signal }) => {
        asked += 1;
        if (path.includes('joined_rooms'))
          return Promise.resolve({ status: 200, json: { joined_rooms: ['!a:a'] } } as never);
        return new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            ended.push(true);
            reject(signal.reason);
          });
        });
      },
    },
    ...{ registration: { asToken: 'x' }, log: silentLog, lookMs: 10 },
  });
  expect(await slow.of(BOB)).toEqual([]);
  expect({ asked, ended }).toEqual({ asked: 2, ended: [true] });
});

test('a homeserver that does not answer keeps no request waiting, and what was learnt before stays', async () => {
  const { admins } = adminsIn({});
  expect(await admins.of(BOB)).toEqual([]);
  const away = new RoomAdmins({
    homeserver: { call: () => Promise.reject(new Refusal('homeserver_unreachable')) },
    registration: { asToken: 'x' },
    log: silentLog,
  });
  expect(await away.of(BOB)).toEqual([]);
});
