import { beforeAll, expect, test } from '@jest/globals';
import { BotApp, PASSWORD } from '../device_passwords/bot.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';

const GET_TOKEN = '/_matrix/client/v1/login/get_token';
const BOB = { type: 'm.id.user', user: '@bob:localhost' };
/** Lives that no store has a whole number for. */
const ODD = [60_000.5, 1e300];

describeOnSharedDatabases('a homeserver that writes odd numbers for the life of a token', (start) => {
  let it: BotApp;

  beforeAll(async () => {
    it = await BotApp.start(start);
  });

  /** Adds this to what the homeserver answers there; the answer ends that. */
  function adding(pattern: RegExp, added: object): () => void {
    return it.app.stub.override(pattern, async (_exchange, next) => {
      const answer = await next();
      if (typeof answer !== 'object' || !('body' in answer) || answer.status !== 200) return answer;
      return { ...answer, body: { ...(answer.body as object), ...added } } as never;
    });
  }

  test.each(ODD)('a sign-in is held, and finished: %d', async (life) => {
    const restore = adding(/\/v3\/login$/, { expires_in_ms: life });
    const challenge = await it.app.post(LOGIN, passwordLogin('bob', PASSWORD));
    expect(challenge.status).toBe(401);
    const auth = { type: 'm.login.2fa.totp', session: challenge.json.session ?? null, token: it.freshCode() };
    const answer = await it.app.post(LOGIN, { auth });
    restore();
    expect(answer.status).toBe(200);
  });

  test.each(ODD)('a device password is made: %d', async (life) => {
    const restore = adding(/\/v3\/login$/, { expires_in_ms: life });
    const { password } = await it.make(`bot ${life}`);
    restore();
    expect((await it.signIn(password)).status).toBe(200);
  });

  test.each(ODD)('a login token stands for the second factor: %d', async (life) => {
    it.app.clock.advance(600_000);
    const restore = adding(/\/get_token$/, { expires_in_ms: life });
    const auth = {
      ...{ type: 'm.login.password', identifier: BOB },
      password: `${PASSWORD} ${it.freshCode()}`,
    };
    const issued = await it.app.call({ target: GET_TOKEN, token: it.phone, json: { auth } });
    restore();
    expect(issued.status).toBe(200);
    const token = issued.json.login_token ?? null;
    expect((await it.app.post(LOGIN, { type: 'm.login.token', token })).status).toBe(200);
  });
});
