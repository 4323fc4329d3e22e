import { beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CommitUnanswered } from '../../src/storage/errors.ts';
import { MINUTE, SECOND } from '../../src/system/clock.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { Visitor } from '../support/visitor.ts';
import { leadsTo, registerApp, requestOf, WEB_BACK } from './asking.ts';
import {
  BOB,
  CLIENT,
  DEVICE,
  expectError,
  OAuthApp,
  PASSWORD,
  REVOKE,
  TOKEN,
  tokensIn,
} from './oauth_app.ts';

const LOGIN = 'POST /_matrix/client/v3/login';

describeOnSharedDatabases('the token endpoint', (start) => {
  let oauth: OAuthApp;

  beforeAll(async () => {
    oauth = await OAuthApp.start(start);
  });

  beforeEach(() => {
    oauth.app.stub.clear();
  });

  const logins = () => oauth.upstream().filter((line) => line === LOGIN);

  describe('the exchange of a code', () => {
    test('one login with the device of the scope; the answer has the token of the homeserver as it is', async () => {
      const answer = await oauth.exchange(await oauth.issue());
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({
        access_token: expect.any(String),
        token_type: 'Bearer',
        // A year: the token does not expire, and older matrix-js-sdk wants a number.
        expires_in: 31_536_000,
        scope: oauth.scope,
        refresh_token: expect.stringMatching(/^m2for_/),
      });
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(oauth.app.stub.isLive(answer.json.access_token as string)).toBe(true);
      expect(logins()).toHaveLength(1);
      const [login] = oauth.app.stub.requestsTo('login');
      expect(login?.json).toEqual({
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: BOB },
        password: PASSWORD,
        device_id: DEVICE,
        initial_device_display_name: 'Element',
      });
      expect(await oauth.events()).toContain('oauth.session_started');
      expect(await oauth.sessions()).toMatchObject([{ clientId: CLIENT, deviceId: DEVICE, endedAt: null }]);
    });

    test('with openid there is an ID token for this user, this app and this nonce', async () => {
      const scope = `openid ${oauth.scope}`;
      const { json } = await oauth.exchange(await oauth.issue({ scope, nonce: 'once' }));
      expect(json.scope).toBe(scope);
      const [, claims = ''] = String(json.id_token).split('.');
      expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
        ...{ iss: 'https://matrix.example.org/', sub: BOB, aud: CLIENT, nonce: 'once' },
      });
      const target = '/_matrix/client/v3/account/whoami';
      expect((await oauth.app.call({ target, token: String(json.id_token) })).status).toBe(401);
    });

    test.each([
      ['written', 400, 0],
      ['not written', 200, 1],
    ] as const)(
      'attack 338: a commit that was %s, and not answered: no token, no login that lives on',
      async (done, next, more) => {
        const { app } = oauth;
        const deviceId = `UNANSWERED ${done}`;
        const issued = await oauth.issue({ deviceId });
        const before = app.stub.liveTokens('bob');
        const sessionsOf = async () => (await oauth.sessions()).filter((each) => each.deviceId === deviceId);
        const { commit } = app.storage;
        const lost = jest.spyOn(app.storage, 'commit').mockImplementation((async (
          ...unit: Parameters<typeof commit>
        ) => {
          const isIt = JSON.stringify(unit).includes('INSERT INTO oauth_sessions');
          const answer = isIt && done === 'not written' ? undefined : await commit.apply(app.storage, unit);
          if (!isIt) return answer;
          throw new CommitUnanswered(new Error('the connection was lost'), async () => 'open');
        }) as typeof commit);
        const answer = await oauth.exchange(issued);
        expect(lost.mock.calls.length).toBeGreaterThan(0);
        lost.mockRestore();
        expectError(answer, 503, 'temporarily_unavailable');
        expect(answer.headers['retry-after']).toBeDefined();
        expect(app.stub.liveTokens('bob')).toEqual(before);
        expect(await sessionsOf()).toEqual([]);
        const again = await oauth.exchange(issued);
        expect(again.status).toBe(next);
        expect(await sessionsOf()).toHaveLength(more);
        await app.proxy.keepHouse();
        expect(app.stub.liveTokens('bob')).toHaveLength(before.length + more);
        if (again.status === 200) await oauth.form(REVOKE, { token: tokensIn(again).access });
      },
    );

    test('a code of the authorize page gets its session, which is refreshed and revoked', async () => {
      const { app, bob } = oauth;
      const client_id = await registerApp(app);
      const verifier = 'v'.repeat(43);
      const visitor = new Visitor(app.url);
      await visitor.open(requestOf({ client_id }));
      await visitor.send({ user: 'bob', password: PASSWORD });
      app.clock.advance(30 * SECOND);
      await visitor.send({ code: app.code(bob) });
      const code = leadsTo(await visitor.send({ decision: 'allow' })).searchParams.get('code') ?? '';
      app.stub.clear();
      const answer = await oauth.exchange({ code, verifier }, { client_id, redirect_uri: WEB_BACK });
      const first = tokensIn(answer);
      expect(answer.json.scope).toBe('urn:matrix:client:api:* urn:matrix:client:device:APPDEVICE');
      expect(app.stub.requestsTo('login')).toMatchObject([
        { json: { device_id: 'APPDEVICE', initial_device_display_name: 'An app' } },
      ]);
      expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toContain('APPDEVICE');
      const second = tokensIn(await oauth.refresh(first.refresh, client_id));
      expect((await oauth.form(REVOKE, { token: second.refresh, client_id })).status).toBe(200);
      expect(app.stub.isLive(first.access)).toBe(false);
      // The login that the page had was ended with the code.
      await app.proxy.keepHouse();
      expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).not.toContain('APPDEVICE');
    });

    test.each([
      ['client_id', 'another_client'],
      ['redirect_uri', 'https://app.example.org/callback/'],
      ['code_verifier', 'x'.repeat(43)],
    ])('attack 317: a wrong %s is refused and does not use the code up', async (name, value) => {
      const issued = await oauth.issue();
      expectError(await oauth.exchange(issued, { [name]: value }), 400, 'invalid_grant');
      expect(oauth.upstream()).toEqual([]);
      tokensIn(await oauth.exchange(issued));
    });

    test.each(['code', 'redirect_uri', 'client_id', 'code_verifier', 'grant_type'])(
      'without %s it is 400 invalid_request, and the code stays good',
      async (name) => {
        const issued = await oauth.issue();
        expectError(await oauth.exchange(issued, { [name]: undefined }), 400, 'invalid_request');
        expect(oauth.upstream()).toEqual([]);
        tokensIn(await oauth.exchange(issued));
      },
    );

    test('an unknown code, and one after two minutes, is refused', async () => {
      expectError(
        await oauth.exchange({ code: 'x'.repeat(43), verifier: 'y'.repeat(43) }),
        400,
        'invalid_grant',
      );
      const issued = await oauth.issue();
      oauth.app.clock.advance(2 * MINUTE);
      expectError(await oauth.exchange(issued), 400, 'invalid_grant');
      expect(oauth.upstream()).toEqual([]);
    });

    test('a code ends with a change of the factors', async () => {
      const issued = await oauth.issue();
      await oauth.app.storage.factors.endProofs(BOB);
      expectError(await oauth.exchange(issued), 400, 'invalid_grant');
      expect(oauth.upstream()).toEqual([]);
    });

    test('attack 318: of 10 at once one gets a session; the others do not end it', async () => {
      const issued = await oauth.issue();
      const answers = await Promise.all(Array.from({ length: 10 }, () => oauth.exchange(issued)));
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      for (const answer of answers) if (!won.includes(answer)) expectError(answer, 400, 'invalid_grant');
      expect(logins()).toHaveLength(1);
      expect(oauth.app.stub.isLive(won[0]?.json.access_token as string)).toBe(true);
      expect(await oauth.sessions()).toHaveLength(1);
    });

    test('attack 319: once more within 20 s is only refused; later its session ends, for the right verifier alone', async () => {
      const issued = await oauth.issue();
      const { access, refresh } = tokensIn(await oauth.exchange(issued));
      oauth.app.clock.advance(20 * SECOND);
      expectError(await oauth.exchange(issued), 400, 'invalid_grant');
      expect(oauth.app.stub.isLive(access)).toBe(true);
      oauth.app.clock.advance(SECOND);
      expectError(await oauth.exchange(issued, { code_verifier: 'x'.repeat(43) }), 400, 'invalid_grant');
      expect(oauth.app.stub.isLive(access)).toBe(true);
      expectError(await oauth.exchange(issued), 400, 'invalid_grant');
      expect(oauth.app.stub.isLive(access)).toBe(false);
      expectError(await oauth.refresh(refresh), 400, 'invalid_grant');
      expect((await oauth.events()).slice(0, 2).toSorted()).toEqual([
        'oauth.code_reused',
        'oauth.session_ended',
      ]);
    });

    test('a login of another user is logged out: 502 server_error', async () => {
      const undo = oauth.app.stub.override('/v3/login', () => {
        const { token, deviceId } = oauth.app.stub.signIn('eve', 'EVES');
        return { status: 200, body: { user_id: '@eve:localhost', access_token: token, device_id: deviceId } };
      });
      expectError(await oauth.exchange(await oauth.issue()), 502, 'server_error');
      undo();
      expect(oauth.app.stub.liveTokens('eve')).toEqual([]);
    });

    test('a password that was changed at the homeserver is refused', async () => {
      const issued = await oauth.issue({ login: { password: 'the old one' } });
      expectError(await oauth.exchange(issued), 400, 'invalid_grant');
    });

    test('the login token of a provider logs in', async () => {
      const loginToken = oauth.app.stub.mintLoginToken('bob');
      tokensIn(await oauth.exchange(await oauth.issue({ login: { password: undefined, loginToken } })));
    });

    test('what passes by itself is 503, and the code stays good', async () => {
      const issued = await oauth.issue();
      oauth.app.stub.failNext('/v3/login', { status: 500 });
      const failed = await oauth.exchange(issued);
      expectError(failed, 503, 'temporarily_unavailable');
      expect(Number(failed.headers['retry-after'])).toBeGreaterThan(0);
      oauth.app.stub.failNext('/v3/login', {
        status: 429,
        body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 60_000 },
      });
      const limited = await oauth.exchange(issued);
      expectError(limited, 503, 'temporarily_unavailable');
      expect(limited.headers['retry-after']).toBe('60');
      tokensIn(await oauth.exchange(issued));
    });

    test('a limit of the homeserver is waited out', async () => {
      oauth.app.stub.failNext('/v3/login', {
        status: 429,
        body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 20 },
      });
      tokensIn(await oauth.exchange(await oauth.issue()));
      expect(logins()).toHaveLength(2);
    });

    test('a new session on a device ends the one that was there', async () => {
      const first = await oauth.signIn();
      const second = await oauth.signIn();
      expectError(await oauth.refresh(first.refresh), 400, 'invalid_grant');
      tokensIn(await oauth.refresh(second.refresh));
    });
  });

  describe('the form', () => {
    const post = (body: string, headers: Record<string, string> = {}) =>
      oauth.app.call({
        method: 'POST',
        target: TOKEN,
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body,
      });

    test.each([
      ['another content type', '{}', { 'content-type': 'application/json' }],
      ['more than 64 KiB', `a=${'x'.repeat(70_000)}`, {}],
      ['a parameter twice', 'grant_type=refresh_token&grant_type=refresh_token', {}],
      ['nothing', '', {}],
      ['bytes that are not ASCII', 'grant_type=\u00fc', {}],
      ['an unfinished escape', 'grant_type=%', {}],
    ])('attack 320: %s is refused', async (what, body, headers) => {
      const error = what === 'an unfinished escape' ? 'unsupported_grant_type' : 'invalid_request';
      expectError(await post(body, headers), 400, error);
    });

    test.each([
      ['Basic', 'grant_type=refresh_token', { authorization: 'Basic eDp5' }],
      ['a secret', 'grant_type=refresh_token&client_secret=x', {}],
      ['an assertion', 'grant_type=refresh_token&client_assertion=x', {}],
    ])('a client that authenticates itself by %s is refused', async (_what, body, headers) => {
      expectError(await post(body, headers), 401, 'invalid_client');
    });

    test('an unknown grant type', async () => {
      expectError(await post('grant_type=password'), 400, 'unsupported_grant_type');
    });
  });
});
