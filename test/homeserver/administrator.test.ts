import { expect, test } from '@jest/globals';
import { CLIENT, type Reply, withUpstream } from './upstream.ts';

const ALICE = '@alice:hs';
const UNKNOWN: Reply = { status: 404, json: { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' } };
const PAGE: Reply = (response) =>
  response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>404</h1>');
const NO_ROOM: Reply = { status: 404, json: { errcode: 'M_NOT_FOUND', error: 'Room with alias not found.' } };
const NOT_ADMIN: Reply = {
  status: 403,
  json: { errcode: 'M_FORBIDDEN', error: 'You are not a server admin' },
};
const server = (name: string): Reply => ({ status: 200, json: { server: { name, version: '1' } } });
const ROOM: Reply = { status: 200, json: { room_id: '!admins:hs', servers: ['hs'] } };
const joined = (...rooms: string[]): Reply => ({ status: 200, json: { joined_rooms: rooms } });

test.each<[string, readonly Reply[], boolean | undefined]>([
  ['Synapse says yes', [{ status: 200, json: { admin: true } }], true],
  ['Synapse says no', [{ status: 200, json: { admin: false } }], false],
  ['Synapse refuses to say', [NOT_ADMIN], false],
  ['a web server refuses in its place', [{ status: 403, json: {} }], undefined],
  ['it refuses the account anything', [{ status: 403, json: { errcode: 'M_USER_LOCKED' } }], undefined],
  [
    'Synapse does not know the account',
    [{ status: 404, json: { errcode: 'M_NOT_FOUND', error: 'No' } }],
    false,
  ],
  ['something else at that address', [{ status: 200, json: { admin: 'yes' } }], undefined],
  ['it fails', [{ status: 500, json: {} }], undefined],
  ['it is busy', [{ status: 429, json: { errcode: 'M_LIMIT_EXCEEDED', error: 'Wait' } }], undefined],
  ['Dendrite', [UNKNOWN, server('Dendrite')], false],
  ['another one', [UNKNOWN, server('Other')], undefined],
  ['one that does not tell its name', [UNKNOWN, UNKNOWN], undefined],
  ['tuwunel, in its room', [UNKNOWN, server('tuwunel'), ROOM, joined('!a:hs', '!admins:hs')], true],
  ['Conduit, not in its room', [UNKNOWN, server('Conduit'), ROOM, joined('!a:hs')], false],
  ['Conduit without such a room', [UNKNOWN, server('Conduit'), NO_ROOM], false],
  ['a Synapse without it', [UNKNOWN, server('Synapse')], false],
  ["a proxy's page before Synapse", [PAGE, server('Synapse')], undefined],
  ["a proxy's page before Conduit", [PAGE, server('Conduit'), NO_ROOM], false],
  ["a proxy's page in the place of the room", [UNKNOWN, server('Conduit'), PAGE], undefined],
  ['no endpoint for rooms', [UNKNOWN, server('Conduit'), UNKNOWN], undefined],
  ['a page of success in the place of the room', [UNKNOWN, server('Conduit'), { status: 200 }], undefined],
  [
    'continuwuity that does not tell',
    [UNKNOWN, server('continuwuity'), ROOM, { status: 500, json: {} }],
    undefined,
  ],
])('whether a user administers the homeserver: %s', (_what, replies, is) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(...replies);
    expect(await homeserver.isAdministrator('tok', ALICE, { client: CLIENT })).toBe(is);
    expect(upstream.seen[0]?.url).toBe('/_synapse/admin/v1/users/%40alice%3Ahs/admin');
    expect(upstream.seen).toHaveLength(replies.length);
  }),
);
