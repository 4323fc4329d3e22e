import { beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { API } from '../device_passwords/bot.ts';
import { challengeOf, registerApp, requestOf } from '../oauth/asking.ts';
import { OAuthApp, PASSWORD } from '../oauth/oauth_app.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { ANSWERED_BY_HAND } from '../support/stub/exchange.ts';
import type { StubHomeserver } from '../support/stub/stub.ts';

const NUL = '\0';
const MINUTE = 60_000;

/** The stub answers with a device that has a NUL. */
const withDevice: Parameters<StubHomeserver['override']>[1] = async (_exchange, next) => {
  const answer = await next();
  if (answer === ANSWERED_BY_HAND) return answer;
  return { ...answer, body: { ...(answer.body as JsonObject), device_id: `A${NUL}` } };
};

/** PostgreSQL takes no text with a NUL, SQLite does. */
describeOnSharedDatabases('a NUL in what a client sends', (start) => {
  let oauth: OAuthApp;
  let bobsToken: string;

  beforeAll(async () => {
    oauth = await OAuthApp.start(start);
    bobsToken = oauth.app.stub.signIn('bob', 'PHONE').token;
  });

  test.each([`bo${NUL}b`, `@bo${NUL}b:localhost`, NUL])('the name of a sign-in: %j', async (name) => {
    const body = passwordLogin(name, PASSWORD, { device_id: 'WISHED', initial_device_display_name: 'x' });
    expect((await oauth.app.post(LOGIN, body)).status).toBe(403);
  });

  test.each(['bob', 'eve'])('attack 368: the device that %s asks for, at every door', async (user) => {
    const login = passwordLogin(user, user === 'bob' ? PASSWORD : 'eves password', { device_id: `A${NUL}` });
    const registration = { username: `${user}2`, password: PASSWORD, device_id: `A${NUL}` };
    const answers = [
      await oauth.app.post(LOGIN, login),
      await oauth.app.post('/_matrix/client/v3/register', registration),
    ];
    expect(answers.map(({ status, json }) => [status, json.errcode])).toEqual([
      [400, 'M_BAD_JSON'],
      [400, 'M_BAD_JSON'],
    ]);
    expect(oauth.app.stub.devicesOf(user).filter(({ deviceId }) => deviceId.includes(NUL))).toEqual([]);
  });

  test.each([
    ['at once', []],
    ['by the next sweep', ['/logout']],
  ])('attack 368: a device that the homeserver grants: its login is ended %s', async (_, failing) => {
    const { stub } = oauth.app;
    const before = stub.liveTokens('bob');
    const end = stub.override('/login', withDevice);
    for (const path of failing) stub.failNext(path, { status: 500, body: {} });
    oauth.app.clock.advance(MINUTE);
    const answer = await oauth.app.post(LOGIN, passwordLogin('bob', PASSWORD));
    end();
    expect(answer.status).toBe(502);
    await oauth.app.proxy.keepHouse();
    expect(stub.liveTokens('bob')).toEqual(before);
  });

  test('attack 368: a device that the homeserver names: what is guarded is done, and on record', async () => {
    const { stub, storage } = oauth.app;
    const end = stub.override('/account/whoami', withDevice);
    oauth.app.clock.advance(MINUTE);
    const password = `${PASSWORD} ${oauth.app.code(oauth.bob)}`;
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'bob' }, password };
    const target = '/_matrix/client/v3/delete_devices';
    const answer = await oauth.app.post(target, { devices: ['GONE'], auth }, bobsToken);
    end();
    expect(answer.status).toBe(200);
    const [passed] = await storage.audit.list({ userId: oauth.bob.userId, limit: 1 });
    expect(passed).toMatchObject({ event: 'guard.passed', deviceId: null });
  });

  test('the id of an app', async () => {
    const target = requestOf({ client_id: `a${NUL}` });
    expect((await oauth.app.call({ method: 'GET', target })).status).toBe(400);
    const asked = await oauth.form('/_2fa/oauth2/device', { client_id: NUL, scope: oauth.scope });
    expect(asked.status).toBe(401);
  });

  test('the nonce of an app', async () => {
    const asked = { client_id: await registerApp(oauth.app), code_challenge: challengeOf('v'.repeat(43)) };
    const fine = await oauth.app.call({ method: 'GET', target: requestOf({ ...asked, nonce: 'n' }) });
    const faulty = await oauth.app.call({ method: 'GET', target: requestOf({ ...asked, nonce: NUL }) });
    expect([fine.status, faulty.status]).toEqual([200, 400]);
  });

  test('the id of a set-up', async () => {
    const target = '/_matrix/client/v3/account/two-factor/totp/confirm';
    const json = { setup_id: NUL, token: '123456' };
    const answer = await oauth.app.call({ target, token: bobsToken, json });
    expect([answer.status, answer.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });

  test('the id of a device password', async () => {
    const target = `${API}/a%00`;
    const answer = await oauth.app.call({ method: 'DELETE', target, token: bobsToken });
    expect([answer.status, answer.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
  });
});
