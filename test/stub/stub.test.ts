import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { call, rawExchange } from '../support/http.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';

let stub: StubHomeserver;

beforeEach(async () => {
  stub = await startStub({ users: [{ name: 'bob', password: 'right' }] });
});

afterEach(() => stub.stop());

const LOGIN = '/_matrix/client/v3/login';

function loginBody(more: JsonObject = {}): JsonObject {
  return {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'bob' },
    password: 'right',
    ...more,
  };
}

test('a login makes a device and a token that whoami knows, and logout ends both', async () => {
  const { json } = await call(stub.url, { target: LOGIN, json: loginBody({ device_id: 'PHONE' }) });
  expect(json).toMatchObject({ user_id: '@bob:localhost', device_id: 'PHONE' });
  const token = String(json.access_token);
  expect(stub.liveTokens('bob')).toEqual([token]);

  const whoami = await call(stub.url, { target: '/_matrix/client/v3/account/whoami', token });
  expect(whoami.json).toMatchObject({ user_id: '@bob:localhost', device_id: 'PHONE' });

  const logout = { method: 'POST', target: '/_matrix/client/v3/logout', token };
  expect((await call(stub.url, logout)).status).toBe(200);
  expect(stub.devicesOf('bob')).toEqual([]);
  expect((await call(stub.url, logout)).json.errcode).toBe('M_UNKNOWN_TOKEN');
});

test('everything that arrived is recorded as it came', async () => {
  await rawExchange(
    stub.url,
    'POST /_matrix/%41?x=%20#f HTTP/1.1\r\nHost: h\r\nX-Odd:  a \r\nContent-Length: 2\r\n\r\n{}',
  );
  expect(stub.requests).toHaveLength(1);
  const [request] = stub.requests;
  expect(request?.target).toBe('/_matrix/%41?x=%20#f');
  expect(request?.rawHeaders).toEqual(['Host', 'h', 'X-Odd', 'a', 'Content-Length', '2']);
  expect(request?.bytes.toString()).toBe('{}');
  expect(request?.status).toBe(404);
});

test('the first key upload makes a device one that has keys', async () => {
  const { token, deviceId } = stub.signIn('bob');
  const keys = { device_keys: { keys: { 'ed25519:A': 'x' } } };
  await call(stub.url, { target: '/_matrix/client/v3/keys/upload', token, json: keys });
  const query = { device_keys: { '@bob:localhost': [] } };
  const answer = await call(stub.url, { target: '/_matrix/client/v3/keys/query', token, json: query });
  expect(answer.json.device_keys).toEqual({ '@bob:localhost': { [deviceId]: keys.device_keys } });
});

test('a sync is held until the test lets it go', async () => {
  const { token } = stub.signIn('bob');
  const syncing = call(stub.url, { target: '/_matrix/client/v3/sync?timeout=30000', token });
  while (stub.heldSyncs === 0) await new Promise((next) => setImmediate(next));
  stub.releaseSyncs();
  expect((await syncing).json).toEqual({ next_batch: 's2' });
});

test('media comes back as it was uploaded', async () => {
  const { token } = stub.signIn('bob');
  const bytes = Buffer.from([0, 255, 13, 10]);
  const uploaded = await call(stub.url, {
    target: '/_matrix/media/v3/upload',
    token,
    body: bytes,
    headers: { 'content-type': 'image/png' },
  });
  const path = String(uploaded.json.content_uri).replace('mxc://', '');
  const downloaded = await call(stub.url, { target: `/_matrix/media/v3/download/${path}` });
  expect(downloaded.bytes).toEqual(bytes);
  expect(downloaded.headers['content-type']).toBe('image/png');
});

test('a made-up file is as long as its name says', async () => {
  const { bytes } = await call(stub.url, { target: '/_matrix/media/v3/download/localhost/zeros-100000' });
  expect(bytes).toHaveLength(100_000);
});

test('rooms answer with the target that arrived', async () => {
  const { token } = stub.signIn('bob');
  const target = '/_matrix/client/v3/rooms/!a%2Fb:hs/state/m.x/%20%2f';
  expect((await call(stub.url, { target, token })).json.target).toBe(target);
});

test('one failure is given once, an override until it is undone', async () => {
  stub.failNext('/login', { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } });
  expect((await call(stub.url, { target: LOGIN })).status).toBe(429);
  expect((await call(stub.url, { target: LOGIN })).status).toBe(200);
  const undo = stub.override(/^GET .*\/login$/, () => ({ status: 418, body: {} }));
  expect((await call(stub.url, { target: LOGIN })).status).toBe(418);
  undo();
  expect((await call(stub.url, { target: LOGIN })).status).toBe(200);
});

test('an override may look at what would have been answered', async () => {
  stub.override('/login', (_exchange, next) => {
    const answer = next();
    expect(answer).toMatchObject({ status: 200 });
    return { status: 202, body: {} };
  });
  expect((await call(stub.url, { target: LOGIN, json: loginBody() })).status).toBe(202);
});

test('it goes down in several ways and comes up again on the same port', async () => {
  const { url } = stub;
  await stub.setDown('error');
  expect((await call(url, { target: LOGIN })).status).toBe(503);
  await stub.setDown('garbage');
  expect((await call(url, { target: LOGIN })).json).toEqual({});
  await stub.setDown('reset');
  await expect(call(url, { target: LOGIN })).rejects.toThrow();
  await stub.setDown('refuse');
  await expect(call(url, { target: LOGIN })).rejects.toThrow('ECONNREFUSED');
  await stub.setDown('hang');
  const hanging = call(url, { target: LOGIN, signal: AbortSignal.timeout(100) });
  await expect(hanging).rejects.toThrow();
  await stub.setDown(undefined);
  expect((await call(url, { target: LOGIN })).status).toBe(200);
});

test('a single sign-on of its own leads back with a token that works once', async () => {
  stub.switches.sso = { providers: [{ id: 'idp', name: 'IdP' }], signedInAs: 'bob' };
  const { json } = await call(stub.url, { target: LOGIN });
  expect(JSON.stringify(json)).toContain('"m.login.sso"');
  const target = `${LOGIN}/sso/redirect/idp?redirectUrl=${encodeURIComponent('http://client/?x=1')}`;
  const first = await call(stub.url, { target });
  const second = await call(stub.url, { target: String(first.headers.location).replace(stub.url, '') });
  const back = new URL(String(second.headers.location));
  const body = { type: 'm.login.token', token: back.searchParams.get('loginToken') };
  expect((await call(stub.url, { target: LOGIN, json: body })).json.user_id).toBe('@bob:localhost');
  expect((await call(stub.url, { target: LOGIN, json: body })).status).toBe(403);
});

test('lookups of the proxy are told apart from what acts', async () => {
  const { token } = stub.signIn('bob');
  const probe = { devices: ['0123456789ABCDEF01234567'] };
  await call(stub.url, { target: '/_matrix/client/v3/account/whoami', token });
  await call(stub.url, { target: '/_matrix/client/v3/delete_devices', token, json: probe });
  expect(stub.requestsBesideLookups()).toEqual([]);
  await call(stub.url, { target: '/_matrix/client/v3/delete_devices', token, json: { devices: ['PHONE'] } });
  expect(stub.requestsBesideLookups()).toHaveLength(1);
});
