import { afterEach, describe, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { call } from '../support/http.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { arrivals, loginsOf, MINUTE, PASSWORD, signIn, startSignIns } from './support.ts';

let app: TestApp;

afterEach(() => app.stop());

async function start(...options: Parameters<typeof startSignIns>): Promise<void> {
  ({ app } = await startSignIns(...options));
}

/** What differs between any two logins. */
function withoutChance(text: string): string {
  return text.replace(/stubr?_[0-9a-f]+/g, 'TOKEN').replace(/"device_id":"[0-9A-F]+"/, '"device_id":"D"');
}

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  test.each([
    ['plain', {}],
    ['with a device', { device_id: 'LAPTOP', initial_device_display_name: 'laptop' }],
    ['with a refresh token', { refresh_token: true }],
    ['with keys that nobody knows', { 'org.example.key': { deep: [1, 'two', null, true] } }],
  ])('attack 63: a login without 2FA is byte for byte the one without us: %s', async (_kind, more) => {
    await start({ personality });
    const body = passwordLogin('alice', PASSWORD, more);
    const direct = await call(app.stub.url, { target: LOGIN, json: body });
    app.stub.clear();
    const through = await app.post(LOGIN, body);

    expect(through.status).toBe(200);
    expect(withoutChance(through.text)).toBe(withoutChance(direct.text));
    expect(through.headers['content-type']).toBe(direct.headers['content-type']);
    expect(arrivals(app)).toEqual([`POST ${LOGIN}`]);
    expect(String(loginsOf(app)[0]?.bytes)).toBe(JSON.stringify(body));
    expect(app.stub.liveTokens('alice')).toContain(through.json.access_token);
  });

  test('attack 63: unknown user, wrong password, and wrong password of one with 2FA are told in the same bytes', async () => {
    await start({ personality });
    const directly = (name: string) =>
      call(app.stub.url, { target: LOGIN, json: passwordLogin(name, 'wrong') });
    const direct = { nobody: await directly('nobody'), alice: await directly('alice') };
    const answers = [];
    for (const name of ['nobody', 'alice', 'bob']) {
      app.stub.clear();
      const answer = await app.post(LOGIN, passwordLogin(name, 'wrong'));
      answers.push({ status: answer.status, text: answer.text, arrived: arrivals(app) });
    }
    // continuwuity tells a name that no one has from a wrong password; we add nothing to that.
    const [nobody, alice, bob] = answers;
    if (personality !== 'continuwuity') expect(nobody).toEqual(alice);
    expect(alice).toEqual(bob);
    expect(nobody).toMatchObject({ status: direct.nobody.status, text: direct.nobody.text });
    expect(alice).toMatchObject({ status: direct.alice.status, text: direct.alice.text });
  });
});

test('attack 63: only the right password shows that there is a second factor', async () => {
  await start();
  const wrong = await signIn(app, 'bob', 'wrong');
  expect(wrong.body).not.toHaveProperty('flows');
  expect(wrong.body.error).not.toMatch(/two-factor|code/i);
  expect((await signIn(app, 'bob')).body).toHaveProperty('flows');
});

test('R5: a login that cannot mean an enrolled user goes as it is, with one request', async () => {
  await start();
  const body = passwordLogin('alice', PASSWORD, { device_id: 'D', initial_device_display_name: 'n' });
  await app.post(LOGIN, body);
  expect(loginsOf(app).map(({ json }) => json)).toEqual([body]);
});

test('some minutes after the last user turned 2FA off, no password is read as one with a code', async () => {
  const { app: started, bob } = await startSignIns();
  app = started;
  const body = passwordLogin('alice', `${PASSWORD} 123456`);
  await app.post(LOGIN, body);
  expect(loginsOf(app)).toHaveLength(2);

  await app.storage.factors.removeAllFactors(bob.userId);
  app.stub.clear();
  app.clock.advance(6 * MINUTE);
  await app.post(LOGIN, body);
  expect(loginsOf(app)).toHaveLength(1);
});

test('attack 101: well_known of a login names us and no OAuth', async () => {
  await start({ publicBaseUrl: 'https://homeserver.internal' });
  app.stub.override(/POST .*\/login$/, (_exchange, next) => {
    const answer = next();
    if (typeof answer === 'string' || typeof answer.body !== 'object' || Buffer.isBuffer(answer.body))
      return answer;
    const oauth = { 'org.matrix.msc2965.authentication': { issuer: 'https://oauth.internal' } };
    const wellKnown = { 'm.homeserver': { base_url: 'https://homeserver.internal' }, ...oauth };
    return { ...answer, body: { ...answer.body, well_known: wellKnown } };
  });
  const answer = await signIn(app, 'alice');
  expect(answer.body.well_known).toEqual({ 'm.homeserver': { base_url: 'https://matrix.example.org' } });
  expect(app.stub.isLive(answer.body.access_token)).toBe(true);
});

test('attack 38: an OpenID token is not a login and passes', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  app.stub.clear();
  await app.post('/_matrix/client/v3/user/@bob:localhost/openid/request_token', {}, token);
  expect(arrivals(app)).toEqual(['POST /_matrix/client/v3/user/@bob:localhost/openid/request_token']);
});
