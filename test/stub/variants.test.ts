import { afterEach, describe, expect, test } from '@jest/globals';
import { misfits } from '../personality/probe.ts';
import { probedStub } from '../personality/probed_stub.ts';
import { VARIANTS } from '../personality/variants.ts';
import { call } from '../support/http.ts';
import { DENDRITE_DEFAULT_RATES } from '../support/stub/limits.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';

let stub: StubHomeserver;

afterEach(() => stub.stop());

const LOGIN = '/_matrix/client/v3/login';
const RIGHT = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password: 'right' };

async function stubWithBob(options: Parameters<typeof startStub>[0]): Promise<void> {
  stub = await startStub({ users: [{ name: 'bob', password: 'right', emails: ['bob@x.org'] }], ...options });
}

describe.each(VARIANTS.map((variant) => [variant.name, variant] as const))(
  'the stub with %s',
  (_name, variant) => {
    test.each(variant.probes.map((probe) => [probe.name, probe] as const))('%s', async (_probe, probe) => {
      stub = await startStub(variant.stub);
      expect(misfits(probe.measured, await probe.run(probedStub(stub)))).toEqual([]);
    });
  },
);

test('tuwunel shows the whole body, password included, for an unknown login type', async () => {
  await stubWithBob({ personality: 'tuwunel' });
  const { json } = await call(stub.url, { target: LOGIN, json: { ...RIGHT, type: 'org.example.x' } });
  expect(json.error).toContain('right');
});

test("dendrite's limiter counts by the whole X-Forwarded-For, and frees its slots after half a second", async () => {
  let now = 1_000_000;
  await stubWithBob({
    personality: 'dendrite',
    loginRates: DENDRITE_DEFAULT_RATES,
    clock: { now: () => now },
  });
  const from = async (address: string) => {
    const json = { ...RIGHT, password: 'wrong' };
    return (await call(stub.url, { target: LOGIN, json, headers: { 'x-forwarded-for': address } })).status;
  };
  const all = async (addressOf: (at: number) => string) =>
    Promise.all(Array.from({ length: 60 }, (_, at) => from(addressOf(at))));
  const fromOne = await all(() => '203.0.113.1');
  expect(fromOne.filter((status) => status === 403)).toHaveLength(21);
  expect(fromOne.filter((status) => status === 429)).toHaveLength(39);
  expect(new Set(await all((at) => `203.0.113.1, 10.0.0.${at}`))).toEqual(new Set([403]));
  now += 501;
  expect(await from('203.0.113.1')).toBe(403);
});

test.each<[PersonalityName, string]>([
  ['synapse', '203.0.113.1'],
  ['dendrite', '127.0.0.1'],
  ['conduit', '127.0.0.1'],
  ['tuwunel', '203.0.113.1'],
])('%s takes the left end of X-Forwarded-For for the client or the peer', async (personality, address) => {
  await stubWithBob({ personality });
  const { token } = stub.signIn('bob');
  const headers = { 'x-forwarded-for': '203.0.113.1, 10.0.0.1', 'x-real-ip': '198.51.100.1' };
  await call(stub.url, { target: '/_matrix/client/v3/devices', token, headers });
  expect(stub.devicesOf('bob')[0]?.lastSeenIp).toBe(address);
});

test('tuwunel believes other headers where there is no X-Forwarded-For', async () => {
  await stubWithBob({ personality: 'tuwunel' });
  const { token } = stub.signIn('bob');
  const headers = { 'cf-connecting-ip': '198.51.100.1' };
  await call(stub.url, { target: '/_matrix/client/v3/devices', token, headers });
  expect(stub.devicesOf('bob')[0]?.lastSeenIp).toBe('198.51.100.1');
});

test.each<[PersonalityName, boolean]>([
  ['synapse', false],
  ['dendrite', true],
  ['conduit', false],
  ['tuwunel', false],
])("on %s a stranger's right password closes his account: %s", async (personality, closed) => {
  await stubWithBob({ personality });
  stub.addUser({ name: 'victim', password: 'of the victim' });
  const { token } = stub.signIn('bob');
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: '@victim:localhost' },
    password: 'of the victim',
  };
  await call(stub.url, { target: '/_matrix/client/v3/account/deactivate', token, json: { auth } });
  expect(stub.isDeactivated('victim')).toBe(closed);
});

test('a Synapse of old finds delete_devices by its beginning', async () => {
  await stubWithBob({ openEndedDeleteDevices: true });
  const { token } = stub.signIn('bob');
  const target = '/_matrix/client/v3/delete_devicesFOO';
  expect((await call(stub.url, { target, token, json: { devices: ['X'] } })).status).toBe(401);
  stub.switches.openEndedDeleteDevices = false;
  expect((await call(stub.url, { target, token, json: { devices: ['X'] } })).status).toBe(404);
});

test('a password reset by e-mail goes by the owner of the address', async () => {
  await stubWithBob({});
  const threepid_creds = { sid: stub.validateEmail('bob@x.org'), client_secret: 's' };
  const auth = { type: 'm.login.email.identity', threepid_creds };
  const json = { new_password: 'fresh', auth };
  expect((await call(stub.url, { target: '/_matrix/client/v3/account/password', json })).status).toBe(200);
  expect(stub.passwordOf('bob')).toBe('fresh');
});

test('a phone number and an address name their owner at a login', async () => {
  stub = await startStub({
    users: [{ name: 'bob', password: 'right', emails: ['Bob@x.org'], phones: ['4915112'] }],
  });
  const byEmail = {
    ...RIGHT,
    identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'BOB@x.org' },
  };
  const byPhone = { ...RIGHT, identifier: { type: 'm.id.phone', country: 'DE', number: '4915112' } };
  for (const json of [byEmail, byPhone]) {
    expect((await call(stub.url, { target: LOGIN, json })).json.user_id).toBe('@bob:localhost');
  }
});

test('an application service logs its users in with its own token only', async () => {
  await stubWithBob({
    applicationServices: [{ token: 'service', senderLocalpart: 'bridge', prefix: 'bob' }],
  });
  const json = { type: 'm.login.application_service', identifier: { type: 'm.id.user', user: 'bob' } };
  expect((await call(stub.url, { target: LOGIN, json, token: 'service' })).status).toBe(200);
  const { token } = stub.signIn('bob');
  expect((await call(stub.url, { target: LOGIN, json, token })).status).toBe(401);
  expect((await call(stub.url, { target: LOGIN, json })).status).toBe(401);
});

test('an account without a password is asked for single sign-on at a guarded endpoint', async () => {
  stub = await startStub({
    users: [{ name: 'sally', password: null }],
    sso: { providers: [{ id: 'idp', name: 'IdP' }], signedInAs: 'sally' },
  });
  const { token } = stub.signIn('sally');
  const target = '/_matrix/client/v3/delete_devices';
  const { json } = await call(stub.url, { target, token, json: { devices: ['X'] } });
  expect(json.flows).toEqual([{ stages: ['m.login.sso'] }]);
  await call(stub.url, {
    target: `/_matrix/client/v3/auth/m.login.sso/fallback/web?session=${json.session}`,
  });
  const auth = { session: json.session ?? '' };
  expect((await call(stub.url, { target, token, json: { devices: ['X'], auth } })).status).toBe(200);
});

test("dendrite's limiter counts password changes, and no other guarded endpoint", async () => {
  const clock = { now: () => 1_000_000 };
  await stubWithBob({ personality: 'dendrite', loginRates: DENDRITE_DEFAULT_RATES, clock });
  const { token } = stub.signIn('bob');
  const headers = { 'x-forwarded-for': '203.0.113.1' };
  const ask = async (target: string) =>
    (
      await call(stub.url, {
        target: `/_matrix/client/v3${target}`,
        token,
        json: { devices: ['X'] },
        headers,
      })
    ).status;
  for (let at = 0; at < 25; at += 1) expect(await ask('/delete_devices')).toBe(401);
  for (let at = 0; at < 21; at += 1) expect(await ask('/account/password')).toBe(401);
  expect(await ask('/account/password')).toBe(429);
});

test('dendrite registers a password of 80 bytes and never takes it', async () => {
  await stubWithBob({ personality: 'dendrite' });
  const password = 'p'.repeat(80);
  const json = { username: 'long', password, auth: { type: 'm.login.dummy' } };
  expect((await call(stub.url, { target: '/_matrix/client/v3/register', json })).status).toBe(200);
  const login = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'long' }, password };
  expect((await call(stub.url, { target: LOGIN, json: login })).status).toBe(403);
});

test.each<[PersonalityName, number]>([
  ['synapse', 400],
  ['dendrite', 200],
  ['conduit', 200],
  ['tuwunel', 200],
])('%s answers a header of 20 KiB with %i', async (personality, status) => {
  await stubWithBob({ personality });
  expect((await call(stub.url, { target: LOGIN, headers: { 'x-long': 'x'.repeat(20 * 1024) } })).status).toBe(
    status,
  );
});

test.each<[PersonalityName, string]>([
  ['synapse', 'cut'],
  ['dendrite', '200'],
  ['conduit', '413'],
  ['tuwunel', '413'],
])('%s answers a login of 60 MiB with %s', async (personality, outcome) => {
  await stubWithBob({ personality });
  const body = JSON.stringify({ ...RIGHT, extra: 'x'.repeat(60 * 1024 * 1024) });
  const answered = call(stub.url, { target: LOGIN, body }).then(
    ({ status }) => String(status),
    (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? 'cut' : error.message,
  );
  // A server that answers early may close while the client still writes: then the answer can be lost.
  expect([outcome, outcome === '413' ? 'cut' : outcome]).toContain(await answered);
});
