import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { MINUTE, SECOND } from '../../src/system/clock.ts';
import { passwordLogin } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { operate } from '../support/operate.ts';
import { BOB, expectError, OAuthApp, REVOKE, tokensIn } from './oauth_app.ts';

const WHOAMI = '/account/whoami';
const LOGOUT = 'POST /_matrix/client/v3/logout';

describeOnSharedDatabases('OAuth sessions', (start) => {
  let oauth: OAuthApp;

  beforeAll(async () => {
    oauth = await OAuthApp.start(start);
  });

  beforeEach(() => {
    oauth.app.stub.clear();
  });

  const logouts = () => oauth.upstream().filter((line) => line === LOGOUT);

  test('a refresh keeps the access token, and rotates the refresh token', async () => {
    const first = await oauth.signIn();
    const answer = await oauth.refresh(first.refresh);
    const second = tokensIn(answer);
    expect(second.access).toBe(first.access);
    expect(second.refresh).not.toBe(first.refresh);
    expect(answer.json).toEqual({
      access_token: first.access,
      token_type: 'Bearer',
      expires_in: 31_536_000,
      scope: oauth.scope,
      refresh_token: second.refresh,
    });
    expect(tokensIn(await oauth.refresh(second.refresh)).access).toBe(first.access);
  });

  test('attack 321: 50 refreshes at once get the very same answer', async () => {
    const { refresh, access } = await oauth.signIn();
    const answers = await Promise.all(Array.from({ length: 50 }, () => oauth.refresh(refresh)));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    const next = tokensIn(answers[0] as (typeof answers)[number]);
    expect(oauth.app.stub.isLive(access)).toBe(true);
    tokensIn(await oauth.refresh(next.refresh));
  });

  test('attack 322: a lost answer is given once more within 60 s, byte by byte', async () => {
    const { refresh } = await oauth.signIn();
    const lost = await oauth.refresh(refresh);
    oauth.app.clock.advance(MINUTE);
    const again = await oauth.refresh(refresh);
    expect([again.status, again.text]).toEqual([200, lost.text]);
  });

  test('attack 323: the token before it later than that ends the session, at the homeserver too', async () => {
    const { refresh, access } = await oauth.signIn();
    const next = tokensIn(await oauth.refresh(refresh));
    oauth.app.clock.advance(MINUTE + SECOND);
    expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    expect(oauth.app.stub.isLive(access)).toBe(false);
    expectError(await oauth.refresh(next.refresh), 400, 'invalid_grant');
    expect((await oauth.events()).slice(0, 2)).toEqual(['oauth.refresh_reused', 'oauth.session_ended']);
  });

  test('attack 323: so does any older one, at any time', async () => {
    const { refresh, access } = await oauth.signIn();
    const second = tokensIn(await oauth.refresh(refresh));
    tokensIn(await oauth.refresh(second.refresh));
    expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    expect(oauth.app.stub.isLive(access)).toBe(false);
  });

  test('attack 324: a foreign client is refused, and nothing changes', async () => {
    const { refresh, access } = await oauth.signIn();
    const next = tokensIn(await oauth.refresh(refresh));
    oauth.app.clock.advance(2 * MINUTE);
    for (const token of [refresh, next.refresh]) {
      expectError(await oauth.refresh(token, 'another_client'), 400, 'invalid_grant');
    }
    expect(oauth.app.stub.isLive(access)).toBe(true);
    tokensIn(await oauth.refresh(next.refresh));
  });

  test.each([
    ['a server error', { status: 500 }],
    ['a gateway error', { status: 502, body: {} }],
    ['a limit', { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 7000 } }],
    ['a strange refusal', { status: 403, body: { errcode: 'M_FORBIDDEN' } }],
    ['another 401', { status: 401, body: { errcode: 'M_MISSING_TOKEN' } }],
  ])('attack 325: %s of the homeserver signs nobody out', async (_what, answer) => {
    const { refresh } = await oauth.signIn();
    oauth.app.stub.failNext(WHOAMI, answer);
    const refused = await oauth.refresh(refresh);
    expectError(refused, 503, 'temporarily_unavailable');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    tokensIn(await oauth.refresh(refresh));
  });

  test.each(['refuse', 'reset', 'garbage'] as const)(
    'attack 325: nor does a homeserver that is away (%s)',
    async (mode) => {
      const { refresh } = await oauth.signIn();
      await oauth.app.stub.setDown(mode);
      expectError(await oauth.refresh(refresh), 503, 'temporarily_unavailable');
      await oauth.app.stub.setDown(undefined);
      tokensIn(await oauth.refresh(refresh));
    },
  );

  test('a token that the homeserver does not know any more ends the session', async () => {
    const { refresh, access } = await oauth.signIn();
    oauth.app.stub.state.tokens.delete(access);
    expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    expect(oauth.upstream().filter((line) => line.includes(WHOAMI))).toHaveLength(1);
    expect(await oauth.sessions()).toEqual([]);
    expect(logouts()).toEqual([]);
  });

  test.each(['access', 'refresh'] as const)(
    'revoking the %s token ends the session there too',
    async (kind) => {
      const tokens = await oauth.signIn();
      const answer = await oauth.form(REVOKE, { token: tokens[kind], client_id: 'client_of_element' });
      expect([answer.status, answer.json]).toEqual([200, {}]);
      expect(oauth.app.stub.isLive(tokens.access)).toBe(false);
      expectError(await oauth.refresh(tokens.refresh), 400, 'invalid_grant');
      expect(await oauth.events()).not.toContain('oauth.revoked_by_other');
      oauth.app.stub.clear();
      expect((await oauth.form(REVOKE, { token: tokens[kind] })).status).toBe(200);
      expect(oauth.upstream()).toEqual([]);
    },
  );

  test('what is unknown, or a legacy token, is 200 and nothing happens', async () => {
    const legacy = oauth.app.stub.signIn('bob').token;
    const { refresh } = await oauth.signIn();
    oauth.app.stub.clear();
    for (const token of [
      'x',
      `${refresh.slice(0, -3)}xyz`,
      `m2for_${'a'.repeat(43)}.${'b'.repeat(43)}`,
      legacy,
    ]) {
      expect((await oauth.form(REVOKE, { token })).status).toBe(200);
    }
    expect(oauth.upstream()).toEqual([]);
    expect(oauth.app.stub.isLive(legacy)).toBe(true);
    tokensIn(await oauth.refresh(refresh));
    expectError(await oauth.form(REVOKE, {}), 400, 'invalid_request');
  });

  test('a homeserver that is down: 503, the refresh token is dead, and the logout comes later', async () => {
    const { refresh, access } = await oauth.signIn();
    await oauth.app.stub.setDown('refuse');
    expectError(await oauth.form(REVOKE, { token: refresh }), 503, 'temporarily_unavailable');
    await oauth.app.stub.setDown(undefined);
    expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    await oauth.app.proxy.keepHouse();
    expect(oauth.app.stub.isLive(access)).toBe(false);
  });

  test('a revocation by another client, or none, tells the owner', async () => {
    const { access } = await oauth.signIn();
    await oauth.form(REVOKE, { token: access, client_id: 'another' });
    expect((await oauth.events()).slice(0, 2).toSorted()).toEqual([
      'oauth.revoked_by_other',
      'oauth.session_ended',
    ]);
  });

  const client = (path: string, token: string) => oauth.app.post(`/_matrix/client/v3/${path}`, {}, token);

  test('a logout ends the session', async () => {
    const { access, refresh } = await oauth.signIn();
    expect((await client('logout', access)).status).toBe(200);
    oauth.app.stub.clear();
    expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    expect(oauth.upstream()).toEqual([]);
  });

  test('logout/all ends all sessions and codes', async () => {
    const eve = await oauth.signIn({ user: 'eve', deviceId: 'EVE' });
    const one = await oauth.signIn({ deviceId: 'ONE' });
    const two = await oauth.signIn({ deviceId: 'TWO' });
    const issued = await oauth.issue();
    expect((await client('logout/all', one.access)).status).toBe(200);
    for (const { refresh } of [one, two]) expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    expectError(await oauth.exchange(issued), 400, 'invalid_grant');
    tokensIn(await oauth.refresh(eve.refresh));
  });

  test('a device that is removed takes its session with it; others stay', async () => {
    const app = await oauth.signIn({ user: 'eve', deviceId: 'EVESAPP' });
    const other = await oauth.signIn({ user: 'eve', deviceId: 'OTHER' });
    const { token } = oauth.app.stub.signIn('eve', 'EVESPHONE');
    const auth = passwordLogin('@eve:localhost', 'eves password');
    const removed = await oauth.app.call({
      method: 'DELETE',
      target: '/_matrix/client/v3/devices/EVESAPP',
      token,
      json: { auth },
    });
    expect(removed.status).toBe(200);
    expect((await oauth.sessions('eve')).map(({ deviceId }) => deviceId)).not.toContain('EVESAPP');
    expectError(await oauth.refresh(app.refresh), 400, 'invalid_grant');
    tokensIn(await oauth.refresh(other.refresh));
  });

  test('tokens are not in the database as they are', async () => {
    const { access, refresh } = await oauth.signIn();
    const rows = await oauth.sessions();
    const text = rows
      .map((row) => `${JSON.stringify(row)} ${row.sealedTokens?.toString('latin1')}`)
      .join('\n');
    expect(text).not.toContain(access);
    expect(text).not.toContain(refresh);
  });

  test('a reset by the operator ends the sessions, at the homeserver with the next sweep', async () => {
    const { access, refresh } = await oauth.signIn();
    const grounds = ['--reason', 'lost', '--verified-by', 'seen', '--yes'];
    expect((await operate(oauth.app, 'user', 'reset', BOB, ...grounds)).code).toBe(0);
    expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
    await oauth.app.proxy.keepHouse();
    expect(oauth.app.stub.isLive(access)).toBe(false);
  });
});
