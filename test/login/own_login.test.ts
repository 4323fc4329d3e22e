import { describe, expect, test } from '@jest/globals';
import type { Response } from 'supertest';
import { createLogger } from '../../src/system/logger.ts';
import { type AppOptions, LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { textOfStore } from '../support/store_text.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import {
  ask,
  failCommits,
  loginsOf,
  MINUTE,
  PASSWORD,
  post,
  signIn,
  startSignIns,
  submit,
} from './support.ts';

/** Of our registration: it opens every account. */
const TOKEN = 'as_token_of_the_proxy_itself';
const SERVICE = 'm.login.application_service';
const WISHES = { device_id: 'PHONE', initial_device_display_name: 'my phone' };

let app: TestApp;
let bob: Enrolled;

/** The types of the logins that reached the homeserver. */
function typesOfLogins() {
  return loginsOf(app).map(({ json }) => json?.type);
}

function byToken(more = {}): Promise<Response> {
  return post(app, LOGIN, { type: 'm.login.token', token: app.stub.mintLoginToken('bob'), ...more });
}

/** From now on the homeserver answers logins of an application service so; the answer ends that. */
function answerOwnLogins(status: number, body: object): () => void {
  return app.stub.override(/POST .*\/login$/, (exchange, next) =>
    exchange.bytes.includes(SERVICE) ? { status, body: { ...body } } : next(),
  );
}

const personalities: PersonalityName[] = ['synapse', 'tuwunel'];

describeOnBothDatabases('logins by our own registration', (startApp) => {
  async function start(options: AppOptions = {}): Promise<void> {
    const applicationServices = [{ token: TOKEN, senderLocalpart: 'two-factor', prefix: '' }];
    ({ app, bob } = await startSignIns({ applicationServices, ownToken: TOKEN, ...options }, startApp));
  }

  describe.each(personalities)('in front of %s', (personality) => {
    test('R5: the wished device is made by our registration, with no second login by the password', async () => {
      await start({ personality });
      const challenge = await signIn(app, 'bob', PASSWORD, WISHES);
      const answer = await submit(app, challenge, app.code(bob));
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ user_id: '@bob:localhost', device_id: 'PHONE' });
      expect(typesOfLogins()).toEqual(['m.login.password', SERVICE]);
      const [, own] = loginsOf(app);
      expect(own?.json).toEqual({
        ...{ type: SERVICE, identifier: { type: 'm.id.user', user: '@bob:localhost' } },
        ...WISHES,
      });
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
      const record = await app.storage.audit.list({ userId: bob.userId });
      expect(record.map(({ event }) => event)).toContain('appservice.own_login');
    });

    test('attack 27: a device that is in use keeps its keys through an abandoned sign-in with a login token', async () => {
      await start({ personality });
      const { token } = app.stub.signIn('bob', 'PHONE');
      const challenge = await byToken(WISHES);
      expect(challenge.status).toBe(401);
      expect(loginsOf(app).map(({ json }) => json?.device_id)).toEqual([undefined]);
      app.clock.advance(6 * MINUTE);
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens('bob')).toEqual([token]);
    });
  });

  test('R5: a sign-in with a login token gets its device after the second factor', async () => {
    await start();
    const answer = await submit(app, await byToken(WISHES), app.code(bob));
    expect(answer.body).toMatchObject({ user_id: '@bob:localhost', device_id: 'PHONE' });
    expect(typesOfLogins()).toEqual(['m.login.token', SERVICE]);
  });

  test('R5: users without 2FA, and login tokens that were issued under it, have their device at once', async () => {
    await start();
    const alice = { type: 'm.login.token', token: app.stub.mintLoginToken('alice'), ...WISHES };
    expect((await post(app, LOGIN, alice)).body).toMatchObject({ device_id: 'PHONE' });
    expect((await signIn(app, 'alice', PASSWORD, WISHES)).body).toMatchObject({ device_id: 'PHONE' });

    const { token } = app.stub.signIn('bob');
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'bob' },
      password: `${PASSWORD} ${app.code(bob)}`,
    };
    const issued = await app.post('/_matrix/client/v1/login/get_token', { auth }, token);
    const passing = { type: 'm.login.token', token: issued.json.login_token ?? '', ...WISHES };
    const answer = await post(app, LOGIN, passing);
    expect(answer.body).toMatchObject({ user_id: '@bob:localhost', device_id: 'PHONE' });
    expect(app.stub.isLive(answer.body.access_token)).toBe(true);
  });

  test('attack 107: 429 to our own login keeps hold and factor; no new code is needed', async () => {
    await start();
    const challenge = await signIn(app, 'bob', PASSWORD, WISHES);
    const restore = answerOwnLogins(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 7000 });
    const waiting = await submit(app, challenge, app.code(bob));
    expect([waiting.status, waiting.body.retry_after_ms]).toEqual([429, 7000]);
    restore();
    expect((await ask(app, challenge)).body).toMatchObject({ device_id: 'PHONE' });
  });

  test.each([
    [403, { errcode: 'M_APPSERVICE_LOGIN_UNSUPPORTED' }],
    [401, { errcode: 'M_UNKNOWN_TOKEN' }],
  ])(
    'a homeserver that does not take our registration (%i %o): we go on without',
    async (status, refused) => {
      await start();
      answerOwnLogins(status, refused);
      const answer = await submit(app, await signIn(app, 'bob', PASSWORD, WISHES), app.code(bob));
      expect(answer.body).toMatchObject({ device_id: 'PHONE' });
      expect(typesOfLogins()).toEqual(['m.login.password', SERVICE, 'm.login.password']);

      const held = await submit(app, await byToken(WISHES), app.code(bob, 1));
      expect(held.status).toBe(200);
      expect(app.stub.isLive(held.body.access_token)).toBe(true);
    },
  );

  test('one who has passed while another took the held login gets a login by our registration', async () => {
    await start();
    const [one, two] = [await signIn(app, 'bob'), await signIn(app, 'bob', PASSWORD, WISHES)];
    const restore = answerOwnLogins(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 7000 });
    expect((await submit(app, two, app.code(bob))).status).toBe(429);
    restore();
    expect((await submit(app, one, app.code(bob, 1))).status).toBe(200);
    expect((await ask(app, two)).body).toMatchObject({ user_id: '@bob:localhost', device_id: 'PHONE' });
    expect(typesOfLogins()).toEqual(['m.login.password', SERVICE, SERVICE, SERVICE]);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toHaveLength(2);
  });

  test('attack 245: another user in the answer to our own login is logged out, and gets no one in', async () => {
    await start();
    const challenge = await signIn(app, 'bob', PASSWORD, WISHES);
    app.stub.addUser({ name: 'carol', password: 'hers' });
    const { token } = app.stub.signIn('carol', 'PHONE');
    answerOwnLogins(200, { user_id: '@carol:localhost', access_token: token, device_id: 'PHONE' });
    const answer = await submit(app, challenge, app.code(bob));
    expect(answer.status).toBe(502);
    expect(app.stub.isLive(token)).toBe(false);
  });

  test('attack 359: our own login to a device in use cannot be put on record: no one gets it, and its keys stay', async () => {
    await start();
    const { token } = app.stub.signIn('bob', 'PHONE');
    const json = { device_keys: { keys: { 'ed25519:PHONE': 'key' } } };
    expect((await app.post('/_matrix/client/v3/keys/upload', json, token)).status).toBe(200);
    const challenge = await signIn(app, 'bob', PASSWORD, WISHES);
    const heal = failCommits(app, 'appservice.own_login', new Error('disk full'));
    expect((await submit(app, challenge, app.code(bob))).status).toBe(500);
    expect(app.stub.devicesOf('bob')).toContainEqual(
      expect.objectContaining({ deviceId: 'PHONE', deviceKeys: expect.anything() }),
    );
    heal();
    expect((await ask(app, challenge)).body).toMatchObject({ device_id: 'PHONE' });
  });

  test('attack 39: 2FA is turned off under a session that has passed: its password is judged once more', async () => {
    await start();
    const challenge = await signIn(app, 'bob', PASSWORD, WISHES);
    const restore = answerOwnLogins(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 7000 });
    expect((await submit(app, challenge, app.code(bob))).status).toBe(429);
    restore();
    await app.storage.factors.removeAllFactors(bob.userId);
    app.stub.user('bob').password = 'another one';
    const { session } = challenge.body;
    const login = { ...passwordLogin('bob', PASSWORD, WISHES), auth: { session } };
    expect((await post(app, LOGIN, login)).status).toBe(403);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  test('attack 246: a client that brings our own token is gated as ever', async () => {
    await start();
    const login = { type: SERVICE, identifier: { type: 'm.id.user', user: 'bob' } };
    const answer = await app.post(LOGIN, login, TOKEN);
    expect(answer.status).toBe(401);
    expect(answer.json.flows).toContainEqual({ stages: [SERVICE, 'm.login.2fa.totp'] });
  });

  test('attack 246: our token is in no answer, log, record or database', async () => {
    const written: string[] = [];
    const stream = { write: (line: string) => void written.push(line) };
    await start({ log: createLogger({ level: 'debug', format: 'json' }, stream) });
    answerOwnLogins(403, { errcode: 'M_FORBIDDEN', error: `no ${TOKEN} here`, token: TOKEN });
    for (const step of [0, 1]) {
      const begun = step === 0 ? await signIn(app, 'bob', PASSWORD, WISHES) : await byToken(WISHES);
      written.push((await submit(app, begun, app.code(bob, step))).text);
    }
    expect(written.join()).toContain('does not take logins of homeserver.appservice');
    written.push(await textOfStore(app.storage));
    expect(written.at(-1)).toContain(bob.userId);
    expect(written.filter((text) => text.includes(TOKEN))).toEqual([]);
  });
});
