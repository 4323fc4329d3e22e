import { expect, test } from '@jest/globals';
import { endOtherDevices } from '../../src/homeserver/other_devices.ts';
import type { Json } from '../../src/matrix/wire.ts';
import { CLIENT, type Reply, refusal, withUpstream } from './upstream.ts';

const ALICE = '@alice:hs';
const DEAD_TOKEN: Reply = {
  status: 401,
  json: { errcode: 'M_UNKNOWN_TOKEN', error: 'x', soft_logout: true },
};
const LIMITED: Reply = {
  status: 429,
  json: { errcode: 'M_LIMIT_EXCEEDED', error: 'x', retry_after_ms: 500 },
};

test.each<[string, Json, object]>([
  ['Synapse', { user_id: ALICE, is_guest: false, device_id: 'D' }, { deviceId: 'D', isGuest: false }],
  ['a server without is_guest', { user_id: ALICE, device_id: 'D' }, { deviceId: 'D', isGuest: false }],
  ['a guest', { user_id: ALICE, is_guest: true, device_id: 'D' }, { deviceId: 'D', isGuest: true }],
  ['a token without a device', { user_id: ALICE }, { deviceId: null, isGuest: false }],
])('whoami: %s', (_name, json, owner) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200, json });
    expect(await homeserver.whoami('tok', { client: CLIENT })).toEqual({ userId: ALICE, ...owner });
    expect(upstream.seen).toMatchObject([{ method: 'GET', url: '/_matrix/client/v3/account/whoami' }]);
    expect(upstream.seen[0]?.headers).toContainEqual(['authorization', 'Bearer tok']);
  }),
);

test.each<[string, Reply, object]>([
  ['a dead token', DEAD_TOKEN, refusal('unknown_token')],
  ['a limit', LIMITED, refusal('limit_exceeded', 500)],
  ['a deactivated account', { status: 403, json: { errcode: 'M_USER_DEACTIVATED' } }, refusal('forbidden')],
  ['a locked account', { status: 401, json: { errcode: 'M_USER_LOCKED' } }, refusal('forbidden')],
  ['another 401', { status: 401, json: {} }, refusal('homeserver_unclear')],
  ['a server error', { status: 503, json: { errcode: 'M_UNKNOWN' } }, refusal('homeserver_unclear')],
  ['no user id', { status: 200, json: { device_id: 'D' } }, refusal('homeserver_unclear')],
  ['a user id that is none', { status: 200, json: { user_id: 'alice' } }, refusal('homeserver_unclear')],
  ['a list of user ids', { status: 200, json: { user_id: [ALICE] } }, refusal('homeserver_unclear')],
  ['201', { status: 201, json: { user_id: ALICE } }, refusal('homeserver_unclear')],
  ['HTML', (response) => response.end('<p>@alice:hs'), refusal('homeserver_unclear')],
])('attack 72: whoami answered with %s never names an owner', (_name, reply, expected) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply);
    await expect(homeserver.whoami('tok', { client: CLIENT })).rejects.toMatchObject(expected);
  }),
);

test('attack 72: whoami on a slow homeserver is 504, on one that hangs up 502', () =>
  withUpstream(
    async ({ upstream, homeserver }) => {
      upstream.reply(
        () => undefined,
        (response) => response.destroy(),
      );
      await expect(homeserver.whoami('tok', { client: CLIENT })).rejects.toMatchObject({ status: 504 });
      await expect(homeserver.whoami('tok', { client: CLIENT })).rejects.toMatchObject({ status: 502 });
    },
    { answerTimeoutMs: 60 },
  ));

test.each<[string, Reply]>([
  ['200', { status: 200 }],
  ['a token that is gone', { status: 401, json: { errcode: 'M_UNKNOWN_TOKEN' } }],
  ['a locked account', { status: 401, json: { errcode: 'M_USER_LOCKED' } }],
  ['403', { status: 403, json: { errcode: 'M_FORBIDDEN' } }],
  ['404', { status: 404, json: { errcode: 'M_NOT_FOUND' } }],
  ['a deactivated account', { status: 400, json: { errcode: 'M_USER_DEACTIVATED' } }],
])('attack 165: logout answered with %s is an end', (_name, reply) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply);
    await homeserver.logout('held');
    expect(upstream.seen).toMatchObject([{ method: 'POST', url: '/_matrix/client/v3/logout', json: {} }]);
    const names = upstream.seen[0]?.headers.map(([name]) => name);
    expect(names?.filter((name) => name === 'x-forwarded-for')).toHaveLength(1);
    expect(upstream.seen[0]?.headers).toContainEqual(['authorization', 'Bearer held']);
  }),
);

test.each<[string, Reply]>([
  ['429', LIMITED],
  ['500', { status: 500 }],
  ['503', { status: 503, json: { errcode: 'M_UNKNOWN' } }],
  ['401 of a web server', { status: 401 }],
  ['404 of a web server', { status: 404, json: { message: 'Not Found' } }],
  ['302', { status: 302, headers: { location: '/' } }],
  ['a cut connection', (response) => response.destroy()],
])('attack 25: logout answered with %s throws, so that it is tried again', (_name, reply) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply);
    await expect(homeserver.logout('held')).rejects.toMatchObject({ name: 'Refusal' });
  }),
);

test('the name of a device is put with its id encoded', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200 }, { status: 404, json: { errcode: 'M_NOT_FOUND' } });
    expect(await homeserver.nameDevice('tok', 'A/B ?#%', 'Phone', CLIENT)).toBe(true);
    expect(await homeserver.nameDevice('tok', 'AB', 'Phone', CLIENT)).toBe(false);
    expect(upstream.seen[0]).toMatchObject({
      method: 'PUT',
      url: '/_matrix/client/v3/devices/A%2FB%20%3F%23%25',
      json: { display_name: 'Phone' },
    });
  }));

test('published keys: those of the user, and their devices', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    const master = { user_id: ALICE, usage: ['master'], keys: { 'ed25519:a': 'a' } };
    upstream.reply({
      status: 200,
      json: {
        failures: {},
        device_keys: { [ALICE]: { D1: { a: 1 }, D2: {} }, '@bob:hs': { D3: {} } },
        master_keys: { [ALICE]: master, '@bob:hs': { not: 'hers' } },
        self_signing_keys: { '@bob:hs': {} },
        user_signing_keys: { [ALICE]: { u: 1 } },
      },
    });
    expect(await homeserver.publishedKeys('tok', ALICE, { client: CLIENT })).toEqual({
      masterKey: master,
      selfSigningKey: undefined,
      userSigningKey: { u: 1 },
      devices: new Set(['D1', 'D2']),
    });
    expect(upstream.seen).toMatchObject([
      { method: 'POST', url: '/_matrix/client/v3/keys/query', json: { device_keys: { [ALICE]: [] } } },
    ]);
  }));

test('published keys: a server that leaves empty maps out', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply({ status: 200, json: {} });
    const keys = await homeserver.publishedKeys('tok', ALICE, { client: CLIENT });
    expect(keys.masterKey).toBeUndefined();
    expect(keys.devices.size).toBe(0);
  }));

test.each<[string, Reply, object]>([
  ['a failure', { status: 200, json: { failures: { hs: {} } } }, refusal('homeserver_unclear')],
  ['keys of a wrong shape', { status: 200, json: { master_keys: [] } }, refusal('homeserver_unclear')],
  [
    'a key of a wrong shape',
    { status: 200, json: { master_keys: { [ALICE]: 'x' } } },
    refusal('homeserver_unclear'),
  ],
  ['HTML', (response) => response.end('<p>'), refusal('homeserver_unclear')],
  ['500', { status: 500 }, refusal('homeserver_unclear')],
  ['429', LIMITED, refusal('limit_exceeded', 500)],
  ['a dead token', DEAD_TOKEN, refusal('unknown_token')],
])('attack 91: keys that cannot be seen (%s) are not taken for none', (_name, reply, expected) =>
  withUpstream(async ({ upstream, homeserver }) => {
    upstream.reply(reply);
    await expect(homeserver.publishedKeys('tok', ALICE, { client: CLIENT })).rejects.toMatchObject(expected);
  }),
);

test('other devices are gone where JSON says so, never by a page with status 200', () =>
  withUpstream(async ({ upstream, homeserver }) => {
    const kept = { token: 'tok', userId: ALICE, deviceId: 'PAGE', password: 'correct horse', client: CLIENT };
    const call = homeserver.call.bind(homeserver);
    const list: Reply = { status: 200, json: { devices: [{ device_id: 'PAGE' }, { device_id: 'OLD' }] } };
    upstream.reply(list, (response) => response.end('<p>Back soon'));
    expect(await endOtherDevices(call, kept)).toBe(false);
    const asksForMore: Reply = { status: 401, json: { session: 's', flows: [] } };
    upstream.reply(list, asksForMore, (response) => response.end('<p>Back soon'));
    expect(await endOtherDevices(call, kept)).toBe(false);
    upstream.reply(list, asksForMore, { status: 200, json: {} });
    expect(await endOtherDevices(call, kept)).toBe(true);
  }));
