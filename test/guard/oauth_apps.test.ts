import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { OAuthApp, PASSWORD } from '../oauth/oauth_app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { makeCrossSigningKeys } from '../support/cross_signing_keys.ts';
import type { HttpAnswer } from '../support/http.ts';
import { Visitor } from '../support/visitor.ts';
import { GUARDED_CALLS, UPLOAD_KEYS } from './guarded.ts';

const API = '/_matrix/client/v3/account/two-factor';
const PAGE = 'https://matrix.example.org/_matrix/client/v3/auth/m.oauth/fallback/web?session=';

const CHANGES: readonly (readonly [method: string, target: string])[] = [
  ['POST', `${API}/totp`],
  ['POST', `${API}/totp/confirm`],
  ['DELETE', `${API}/totp`],
  ['POST', `${API}/recovery`],
  ['DELETE', `${API}/recovery`],
  ['DELETE', API],
  ['PUT', '/_matrix/client/unstable/org.matrix.2fa/authenticators/abc'],
  ['POST', '/_matrix/client/unstable/org.matrix.2fa/device_passwords'],
  ['DELETE', '/_matrix/client/unstable/org.matrix.2fa/device_passwords/abc'],
  ['PUT', '/_matrix/client/unstable/org.matrix.2fa/recovery_contacts'],
];

describeOnSharedDatabases('sessions of OAuth apps', (start) => {
  let oauth: OAuthApp;
  let bobs: string;
  let eves: string;

  beforeAll(async () => {
    oauth = await OAuthApp.start(start);
    bobs = (await oauth.signIn()).access;
    eves = (await oauth.signIn({ user: 'eve' })).access;
  });

  beforeEach(() => {
    oauth.app.stub.clear();
  });

  const tokenOf = (user: string) => (user === 'bob' ? bobs : eves);

  function expectAccountPage(answer: HttpAnswer): void {
    expect([answer.status, answer.json]).toEqual([
      403,
      { errcode: 'M_FORBIDDEN', error: expect.stringContaining('https://matrix.example.org/_2fa/account') },
    ]);
    expect(oauth.upstream()).toEqual([]);
  }

  describe.each(['bob', 'eve'])('of %s', (user) => {
    test.each(GUARDED_CALLS.filter((each) => each !== UPLOAD_KEYS).map((each) => [each.name, each] as const))(
      'attack 326: %s is for the account page, and nothing goes upstream',
      async (_name, { method, target, body }) => {
        expectAccountPage(await oauth.app.call({ method, target, json: body, token: tokenOf(user) }));
      },
    );

    test.each(CHANGES)('attack 326: so is %s %s', async (method, target) => {
      expectAccountPage(await oauth.app.call({ method, target, json: {}, token: tokenOf(user) }));
    });
  });

  test('what changes nothing is answered, and what needs no proof goes on', async () => {
    expect((await oauth.app.call({ target: API, token: bobs })).status).toBe(200);
    const name = { method: 'PUT', target: '/_matrix/client/v3/devices/AppDevice%2B1%2Fx', token: bobs };
    expect((await oauth.app.call({ ...name, json: { display_name: 'my app' } })).status).toBe(200);
  });

  const upload = (json: JsonObject, token = bobs) =>
    oauth.app.call({ target: UPLOAD_KEYS.target, json, token });

  function challengeOf(answer: HttpAnswer): string {
    const { session } = answer.json;
    expect([answer.status, answer.json]).toEqual([
      401,
      {
        session: expect.any(String),
        flows: [{ stages: ['m.oauth'] }],
        params: { 'm.oauth': { url: `${PAGE}${encodeURIComponent(String(session))}` } },
        completed: [],
      },
    ]);
    return session as string;
  }

  const keysOf = (user: string): JsonObject => ({ ...makeCrossSigningKeys(`@${user}:localhost`) });

  /** What people type on the page, in its order. */
  async function approve(session: string, typed: readonly Readonly<Record<string, string>>[]) {
    const visitor = new Visitor(oauth.app.url);
    const page = await visitor.open(
      `${PAGE.slice('https://matrix.example.org'.length)}${encodeURIComponent(session)}`,
    );
    expect(page.text).toContain('reset your encryption identity');
    for (const values of typed) await visitor.send(values);
    return visitor.last?.text ?? '';
  }

  function code(): string {
    oauth.app.clock.advance(30_000);
    return oauth.app.code(oauth.bob);
  }

  const sent = () => oauth.app.stub.requestsTo('device_signing').filter(({ status }) => status === 200);

  test('the first upload of keys passes, and so does the same once more', async () => {
    for (const user of ['bob', 'eve']) {
      const keys = oauth.app.stub.keysOf(user);
      Object.assign(keys, { master: undefined, selfSigning: undefined, userSigning: undefined });
      const own = keysOf(user);
      expect((await upload(own, tokenOf(user))).status).toBe(200);
      expect((await upload(own, tokenOf(user))).status).toBe(200);
    }
  });

  test('other keys ask for m.oauth: code and password on its page, then one request', async () => {
    const keys = keysOf('bob');
    const session = challengeOf(await upload(keys));
    for (const auth of [{ session }, { session, type: 'm.oauth' }]) {
      expect(challengeOf(await upload({ ...keys, auth }))).toBe(session);
    }
    expect(sent()).toEqual([]);
    await approve(session, [{ code: code() }, { password: PASSWORD }]);
    expect(sent()).toEqual([]);
    expect((await upload({ ...keys, auth: { session, type: 'm.oauth' } })).status).toBe(200);
    expect(sent()).toHaveLength(1);
    expect(oauth.app.stub.keysOf('bob').master).toEqual(keys.master_key);
    // The proof is used up.
    expect(challengeOf(await upload({ ...keysOf('bob'), auth: { session } }))).not.toBe(session);
  });

  test('also a moment after the sign-in', async () => {
    const fresh = (await oauth.signIn({ deviceId: 'FRESH' })).access;
    challengeOf(await upload(keysOf('bob'), fresh));
  });

  test('a user without 2FA gives the password there', async () => {
    const keys = keysOf('eve');
    const session = challengeOf(await upload(keys, eves));
    await approve(session, [{ password: 'eves password' }]);
    expect((await upload({ ...keys, auth: { session } }, eves)).status).toBe(200);
    expect(oauth.app.stub.keysOf('eve').master).toEqual(keys.master_key);
  });

  test('attack 327: no proof is taken in the request itself', async () => {
    const keys = keysOf('bob');
    const session = challengeOf(await upload(keys));
    const identifier = { type: 'm.id.user', user: '@bob:localhost' };
    for (const auth of [
      { type: 'm.login.password', identifier, password: PASSWORD, session },
      { type: 'm.login.password', identifier, password: `${PASSWORD} ${code()}` },
      { type: 'm.login.2fa.totp', code: code(), session },
      { type: 'm.login.sso', session },
    ]) {
      expect((await upload({ ...keys, auth })).status).toBe(400);
    }
    expect((await upload({ ...keys, auth: { type: 'm.oauth' } })).status).toBe(400);
    expect(sent()).toEqual([]);
  });

  test('attack 328: what was approved is for this token and these keys alone', async () => {
    const keys = keysOf('bob');
    const session = challengeOf(await upload(keys));
    await approve(session, [{ code: code() }, { password: PASSWORD }]);
    const other = (await oauth.signIn({ deviceId: 'OTHER' })).access;
    expect((await upload({ ...keys, auth: { session } }, other)).status).toBe(403);
    expect((await upload({ ...keysOf('bob'), auth: { session } })).status).not.toBe(200);
    expect((await upload({ ...keys, auth: { session } }, eves)).status).toBe(403);
    expect(sent()).toEqual([]);
  });
});
