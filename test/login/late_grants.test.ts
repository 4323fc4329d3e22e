import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { giveLoginsTime } from '../support/services.ts';
import { until } from '../support/until.ts';
import { Visitor } from '../support/visitor.ts';
import { ask, loginsOf, MINUTE, PASSWORD, post, signIn, startSignIns, submit } from './support.ts';

/** So long the homeserver may take for a login that it withholds; for all else it has its usual time. */
const SHORT_MS = 50;
const USUAL_MS = 60_000;

let app: TestApp;
let bob: Enrolled;

afterEach(() => app.stop());

async function start(): Promise<void> {
  ({ app, bob } = await startSignIns());
}

/** From now on the homeserver grants nothing on these paths, to bodies with this text, before it is told to. */
function withhold(path = /POST .*\/login$/, text = ''): { readonly grant: () => void } {
  let grant: () => void = () => undefined;
  const granted = new Promise<void>((resolve) => {
    grant = resolve;
  });
  app.stub.override(path, async ({ bytes }, next) => {
    if (bytes.includes(text)) await granted;
    return next();
  });
  return { grant };
}

/** The same, and those who wait for it are told soon that the homeserver is slow. */
function withholdTooLong(path?: RegExp): { readonly grant: () => void } {
  const withheld = withhold(path);
  giveLoginsTime(app, SHORT_MS);
  return {
    grant: () => {
      giveLoginsTime(app, USUAL_MS);
      withheld.grant();
    },
  };
}

/** A device with keys, as a client in use has it. */
async function putKeysOn(name: string, deviceId: string): Promise<void> {
  const { token } = app.stub.signIn(name, deviceId);
  const json = { device_keys: { keys: { [`ed25519:${deviceId}`]: 'key' } } };
  expect((await app.post('/_matrix/client/v3/keys/upload', json, token)).status).toBe(200);
}

/** The next request that a server of this process takes. */
function nextRequest(): Promise<IncomingMessage> {
  return new Promise((resolve) => {
    const take = (message: unknown) => {
      unsubscribe('http.server.request.start', take);
      resolve((message as { readonly request: IncomingMessage }).request);
    };
    subscribe('http.server.request.start', take);
  });
}

const logouts = () => app.stub.requestsTo('logout').length;

describe('a login that is granted when its client has been told that the homeserver is slow', () => {
  test.each(['alice', 'bob'])('attack 164: %s: 504, then logged out', async (name) => {
    await start();
    const { grant } = withholdTooLong();
    expect((await signIn(app, name)).status).toBe(504);
    grant();
    await until(() => logouts() === 1);
    expect(app.stub.liveTokens(name)).toEqual([]);
    expect(app.stub.devicesOf(name)).toEqual([]);
    expect(loginsOf(app).at(-1)?.status).toBe(200);
  });

  test('attack 164: a registration', async () => {
    await start();
    const { grant } = withholdTooLong(/POST .*\/register$/);
    const body = { username: 'carl', password: 'his', auth: { type: 'm.login.dummy' } };
    expect((await post(app, '/_matrix/client/v3/register', body)).status).toBe(504);
    grant();
    await until(() => logouts() === 1);
    expect(app.stub.liveTokens('carl')).toEqual([]);
  });

  test('attack 164: the second login to a chosen device; the held one stays, and is finished', async () => {
    await start();
    const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
    const { grant } = withholdTooLong();
    expect((await submit(app, challenge, app.code(bob))).status).toBe(504);
    grant();
    await until(() => logouts() === 1);
    const answer = await ask(app, challenge);
    expect([answer.status, answer.body.device_id]).toEqual([200, 'PHONE']);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
  });

  test('attack 164: on the sign-in page', async () => {
    await start();
    const { grant } = withholdTooLong();
    const visitor = new Visitor(app.url);
    await visitor.open('/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F');
    await visitor.send({ user: 'alice', password: PASSWORD });
    grant();
    await until(() => logouts() === 1);
    expect(app.stub.liveTokens('alice')).toEqual([]);
  });

  test('attack 164: a login that judges a password', async () => {
    await start();
    app.stub.switches.uiaSessionTimeout = 3_600_000;
    const { token } = app.stub.signIn('alice');
    const { grant } = withholdTooLong();
    const identifier = { type: 'm.id.user', user: 'alice' };
    const auth = { type: 'm.login.password', identifier, password: PASSWORD };
    const setUp = await app.post(
      '/_matrix/client/v3/account/two-factor/totp',
      { name: 'phone', auth },
      token,
    );
    expect(setUp.status).toBe(504);
    grant();
    await until(() => logouts() === 1);
    expect(app.stub.liveTokens('alice')).toEqual([token]);
  });

  test('attack 164: a device that it shares with its owner keeps its keys (R5)', async () => {
    await start();
    await putKeysOn('alice', 'PHONE');
    const { grant } = withholdTooLong();
    expect((await signIn(app, 'alice', PASSWORD, { device_id: 'PHONE' })).status).toBe(504);
    grant();
    await until(() => app.stub.requests.some(({ target }) => target.endsWith('/keys/query')));
    await app.shutDown(4000);
    expect(logouts()).toBe(0);
    expect(app.stub.devicesOf('alice')).toMatchObject([{ deviceId: 'PHONE' }]);
  });

  test('attack 164: a logout that fails is left to the sweep', async () => {
    await start();
    const { grant } = withholdTooLong();
    expect((await signIn(app, 'alice')).status).toBe(504);
    app.stub.failNext('/logout', { status: 500, body: { errcode: 'M_UNKNOWN', error: 'x' } });
    grant();
    await until(() => logouts() === 1);
    await until(() => app.stub.liveTokens('alice').length === 1);
    await app.shutDown(4000);
    await app.start();
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('alice')).toEqual([]);
  });
});

describe('a login that is under way when the process is told to end', () => {
  test.each(['alice', 'bob'])('attack 164: %s: waited for, and logged out', async (name) => {
    await start();
    const { grant } = withhold();
    const cut = signIn(app, name).catch(() => 'cut');
    await until(() => loginsOf(app).length === 1);
    const ended = app.shutDown(4000);
    await cut;
    grant();
    await ended;
    expect(loginsOf(app).at(-1)?.status).toBe(200);
    expect(app.stub.liveTokens(name)).toEqual([]);
  });

  test('attack 164: where the logout fails then, it is done after the next start', async () => {
    await start();
    const { grant } = withhold();
    const cut = signIn(app, 'bob').catch(() => 'cut');
    await until(() => loginsOf(app).length === 1);
    const hung = withhold(/POST .*\/logout$/);
    const ended = app.shutDown(500);
    await cut;
    grant();
    await ended;
    expect(app.stub.liveTokens('bob')).toHaveLength(1);
    hung.grant();
    await until(() => app.stub.liveTokens('bob').length === 0 || logouts() > 0);
    await app.start();
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  test('attack 164: a homeserver that never answers does not keep the process', async () => {
    await start();
    withhold();
    const cut = signIn(app, 'bob').catch(() => 'cut');
    await until(() => loginsOf(app).length === 1);
    await app.shutDown(100);
    await cut;
  });
});

describe('a client that hangs up', () => {
  /** Sends a sign-in and hangs up as soon as `isSo`. */
  async function signInAndHangUp(body: object, isSo: () => boolean): Promise<void> {
    const sent = request(`${app.url}${LOGIN}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    });
    sent.on('error', () => undefined);
    const arrived = nextRequest();
    sent.end(JSON.stringify(body));
    const { socket } = await arrived;
    await until(isSo);
    const noticed = once(socket, 'close');
    sent.destroy();
    await noticed;
    // The application hears of it in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
  }

  test('attack 164: during a login with 2FA: it is held as ever', async () => {
    await start();
    const { grant } = withhold();
    await signInAndHangUp(passwordLogin('bob', PASSWORD), () => loginsOf(app).length === 1);
    grant();
    await until(() => app.stub.liveTokens('bob').length === 1);
    const challenge = await signIn(app, 'bob');
    expect(challenge.status).toBe(401);
    expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
    expect(loginsOf(app)).toHaveLength(1);
  });

  test('attack 164: before the login is handed out: it stays for the next try, without another code', async () => {
    await start();
    const challenge = await signIn(app, 'bob', PASSWORD, { initial_device_display_name: 'laptop' });
    const { grant } = withhold(/^PUT /);
    const { session } = challenge.body;
    const auth = { type: 'm.login.2fa.totp', session, token: app.code(bob) };
    await signInAndHangUp({ auth }, () => app.stub.requests.some(({ method }) => method === 'PUT'));
    grant();
    const answer = await ask(app, challenge);
    expect(answer.status).toBe(200);
    app.clock.advance(6 * MINUTE);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
  });

  test('attack 358: during the second login to a device in use: keys and login stay, without another code', async () => {
    await start();
    await putKeysOn('bob', 'PHONE');
    const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
    const { grant } = withhold();
    const { session } = challenge.body;
    const auth = { type: 'm.login.2fa.totp', session, token: app.code(bob) };
    await signInAndHangUp({ auth }, () => loginsOf(app).length === 2);
    grant();
    await until(() => loginsOf(app).at(-1)?.status === 200);
    const answer = await ask(app, challenge);
    expect([answer.status, answer.body.device_id]).toEqual([200, 'PHONE']);
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob')).toMatchObject([{ deviceId: 'PHONE', deviceKeys: expect.anything() }]);
  });

  test('attack 358: during the second login of a user without 2FA: it is logged out', async () => {
    const applicationServices = [{ token: 'as_token', senderLocalpart: 'two-factor', prefix: '' }];
    ({ app, bob } = await startSignIns({ applicationServices, ownToken: 'as_token' }));
    const { grant } = withhold(/POST .*\/login$/, 'm.login.application_service');
    const token = app.stub.mintLoginToken('alice');
    await signInAndHangUp(
      { type: 'm.login.token', token, device_id: 'PHONE' },
      () => loginsOf(app).length === 2,
    );
    grant();
    const isOver = () => loginsOf(app).at(-1)?.status === 200 && logouts() >= 2;
    await until(() => isOver() && app.stub.devicesOf('alice').length === 0);
  });
});
