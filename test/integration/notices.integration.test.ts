import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeRegistration } from '../../src/cli/init_appservice.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { ask, effect } from '../../src/storage/statement.ts';
import { systemRandom } from '../../src/system/random.ts';
import { CLIENT, RECOVERY, type SignedIn } from '../support/real_app.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

const ownFolder = mkdtempSync(join(tmpdir(), 'own-registration-'));
const ownFile = join(ownFolder, 'appservice.yaml');
afterAll(() => rmSync(ownFolder, { recursive: true }));

await describeOnSynapse(
  'notices in a direct room, on a real Synapse',
  (app) => {
    let bot: SignedIn;
    let syncs = 0;

    beforeAll(async () => {
      bot = await app().signedInUser();
      await app().stopProxy();
      writeFileSync(join(app().directory, 'notify.token'), `${bot.token}\n`, { mode: 0o600 });
      appendFileSync(
        app().configFile,
        `\nnotify: { matrix: { user_id: "${bot.userId}", access_token_file: notify.token } }\n`,
      );
      await app().startProxy();
    });

    /** Rooms to which a user is invited, with what they are told when they join. */
    async function readNotices(
      { token }: SignedIn,
      writer = bot.userId,
    ): Promise<{ room: string; bodies: string[] }[]> {
      // Synapse keeps the answer to an equal request for two minutes.
      syncs += 1;
      const sync = await app().direct({ target: `${CLIENT}/sync?timeout=${syncs}`, token });
      const rooms = sync.json.rooms as Record<'invite' | 'join', Record<string, JsonObject>> | undefined;
      for (const room of Object.keys(rooms?.invite ?? {})) {
        await app().direct({
          method: 'POST',
          target: `${CLIENT}/join/${encodeURIComponent(room)}`,
          json: {},
          token,
        });
      }
      const joined = await app().direct({ target: `${CLIENT}/joined_rooms`, token });
      const found = [];
      for (const room of joined.json.joined_rooms as string[]) {
        const target = `${CLIENT}/rooms/${encodeURIComponent(room)}/messages?dir=b&limit=50`;
        const { json } = await app().direct({ target, token });
        const events = json.chunk as {
          type: string;
          sender: string;
          content: { msgtype?: string; body?: string };
        }[];
        const told = events.filter(({ type, sender }) => type === 'm.room.message' && sender === writer);
        found.push({ room, bodies: told.map(({ content }) => `${content.msgtype}: ${content.body}`) });
      }
      return found;
    }

    test('attack 193: an owner is told in one room, and in a new one after they left', async () => {
      const bob = await app().enrolledUser();
      await app().proxy.sendNotices();
      const [first, ...others] = await readNotices(bob);
      expect(others).toEqual([]);
      expect(first?.bodies).toHaveLength(1);
      expect(first?.bodies[0]).toMatch(
        /^m\.text: \[[^\]]+\] Two-factor authentication was turned on\n\nAccount: @/,
      );

      const renew = async () => {
        const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: bob.userId } };
        const password = `${bob.password} ${app().code(bob)}`;
        const answer = await app().post(RECOVERY, { auth: { ...auth, password } }, bob.token);
        expect(answer.status).toBe(200);
        await app().proxy.sendNotices();
      };
      await renew();
      expect((await readNotices(bob)).map(({ room, bodies }) => [room, bodies.length])).toEqual([
        [first?.room, 2],
      ]);

      const leave = `${CLIENT}/rooms/${encodeURIComponent(first?.room ?? '')}/leave`;
      expect(await app().direct({ method: 'POST', target: leave, json: {}, token: bob.token })).toMatchObject(
        {
          status: 200,
        },
      );
      await renew();
      const [second, ...more] = await readNotices(bob);
      expect(more).toEqual([]);
      expect(second?.room).not.toBe(first?.room);
      expect(second?.bodies[0]).toContain('Your recovery codes were replaced');
    });

    test('an owner is told in a new room after our account has left theirs', async () => {
      const erin = await app().enrolledUser();
      await app().proxy.sendNotices();
      const [first] = await readNotices(erin);
      const leave = `${CLIENT}/rooms/${encodeURIComponent(first?.room ?? '')}/leave`;
      const left = await app().direct({ method: 'POST', target: leave, json: {}, token: bot.token });
      expect(left.status).toBe(200);
      const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: erin.userId } };
      const password = `${erin.password} ${app().code(erin)}`;
      expect((await app().post(RECOVERY, { auth: { ...auth, password } }, erin.token)).status).toBe(200);
      await app().proxy.sendNotices();
      // What failed is due at once.
      await app().proxy.storage.commit([], effect('UPDATE notices SET due_at = 0'));
      await app().proxy.sendNotices();
      const told = await readNotices(erin);
      const second = told.find(({ room }) => room !== first?.room);
      expect(second?.bodies[0]).toContain('Your recovery codes were replaced');
    });

    test('a message that was sent, and not marked so, stands in the room once', async () => {
      const carol = await app().enrolledUser();
      const { storage } = app().proxy;
      const kept = await storage.read(ask<{ id: string }>("SELECT id FROM notices WHERE channel = 'matrix'"));
      const [notice] = kept;
      if (notice === undefined) throw new Error('there is no notice');
      await app().proxy.sendNotices();
      const [room] = await readNotices(carol);
      // As a process that was killed before its mark does: the same transaction once more.
      const target = `${CLIENT}/rooms/${encodeURIComponent(room?.room ?? '')}/send/m.room.message/${notice.id}`;
      const json = { msgtype: 'm.text', body: 'once more' };
      await app().direct({ method: 'PUT', target, json, token: bot.token });
      const [after] = await readNotices(carol);
      expect(after?.bodies).toEqual(room?.bodies);
    });

    test('the account of our registration writes, without a token of its own', async () => {
      const { configFile } = app();
      await app().stopProxy();
      const text = readFileSync(configFile, 'utf8');
      writeFileSync(
        configFile,
        text
          .replace(
            /homeserver: \{ url: (\S+) \}/,
            `homeserver: { url: $1, appservice: { file: ${ownFile} } }`,
          )
          .replace(/notify: .*/, 'notify: { matrix: { appservice: true } }'),
      );
      await app().startProxy();
      const dave = await app().enrolledUser();
      await app().proxy.sendNotices();
      const [room] = await readNotices(dave, '@two-factor:localhost');
      expect(room?.bodies[0]).toContain('Two-factor authentication was turned on');
    });
  },
  async () => {
    writeRegistration({ file: ownFile, serverName: 'localhost' }, systemRandom);
    return { synapse: () => ({ app_service_config_files: [ownFile] }) };
  },
);
