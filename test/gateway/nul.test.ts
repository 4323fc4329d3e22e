import { beforeAll, expect, test } from '@jest/globals';
import { API } from '../device_passwords/bot.ts';
import { challengeOf, registerApp, requestOf } from '../oauth/asking.ts';
import { OAuthApp, PASSWORD } from '../oauth/oauth_app.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';

const NUL = '\0';

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
