import { beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { decide, effect } from '../../src/storage/statement.ts';
import { findClient } from '../../src/storage/tables/oauth_clients.ts';
import { findGrant } from '../../src/storage/tables/oauth_grants.ts';
import { hashToken } from '../../src/system/token_hash.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import {
  AUTHORIZE,
  LOOPBACK_BACK,
  leadsTo,
  NATIVE_BACK,
  registerApp,
  requestOf,
  WEB_BACK,
} from './asking.ts';

const USERS = [
  { name: 'alice', password: 'alice password' },
  { name: 'bob', password: 'bob password' },
  { name: 'carol', password: 'carol password' },
];
const ISSUER = 'https://matrix.example.org/';

describeOnSharedDatabases('an app asks for access', (start) => {
  let app: TestApp;
  let bob: Enrolled;
  let visitor: Visitor;
  let web: string;
  let native: string;

  beforeAll(async () => {
    app = await start({ users: USERS, config: 'oauth: { enabled: true }' });
    bob = await app.enrol('bob');
    web = await registerApp(app);
    native = await registerApp(app, {
      application_type: 'native',
      redirect_uris: [NATIVE_BACK, LOOPBACK_BACK, 'https://app.example.com/native'],
    });
  });

  beforeEach(() => {
    visitor = new Visitor(app.url);
  });

  /** Name, password and code, up to the question. */
  async function signIn(request: string): Promise<HttpAnswer> {
    await visitor.open(request);
    await visitor.send({ user: 'bob', password: 'bob password' });
    app.clock.advance(30_000);
    return visitor.send({ code: app.code(bob) });
  }

  async function grantOf(code: string) {
    const [grant] = await app.storage.read(findGrant(hashToken(code)));
    return grant;
  }

  /** How many were ever made: what is over is dropped at any time. */
  async function grants(): Promise<number> {
    const sql = "SELECT count(*) AS count FROM audit WHERE event = 'oauth.authorized'";
    const [row] = await app.storage.read<{ count: number }>({ does: 'ask', sql, values: {} });
    return Number(row?.count);
  }

  const requestsUpstream = () => app.stub.requests.map(({ target, bytes }) => `${target} ${bytes}`);

  test('password, code, consent: the app gets a code with state and issuer, by 303', async () => {
    const first = await visitor.open(requestOf({ client_id: web }));
    expect(first.status).toBe(200);
    expect(first.text).toContain('<b class="destination">app.example.com</b>');
    const code = await visitor.send({ user: 'bob', password: 'bob password' });
    expect(code.text).toContain('one-time-code');
    app.clock.advance(30_000);
    const consent = await visitor.send({ code: app.code(bob) });
    expect(consent.text).toContain('@bob:localhost');
    expect(consent.text).toContain('<strong class="destination">app.example.com</strong>');
    expect(consent.text).toContain('The app calls itself “<bdi>An app</bdi>”');
    expect(consent.text.match(/Allow this only if|Continue only if/g)).toEqual(['Allow this only if']);
    const back = await visitor.send({ decision: 'allow' });
    expect(back.status).toBe(303);
    expect(back.headers['referrer-policy']).toBe('no-referrer');
    const address = leadsTo(back);
    expect(address.href).toMatch(
      /^https:\/\/app\.example\.com\/back\?code=[A-Za-z0-9_-]{43}&state=the%20state&iss=/,
    );
    expect(address.searchParams.get('iss')).toBe(ISSUER);
    expect(await grantOf(address.searchParams.get('code') ?? '')).toMatchObject({
      kind: 'code',
      state: 'approved',
      clientId: web,
      userId: '@bob:localhost',
      deviceId: 'APPDEVICE',
      redirectUri: WEB_BACK,
      scope: 'urn:matrix:client:api:* urn:matrix:client:device:APPDEVICE',
    });
  });

  test('the held login is logged out at the homeserver, and the code is not', async () => {
    await app.proxy.keepHouse();
    await signIn(requestOf({ client_id: web }));
    const code = leadsTo(await visitor.send({ decision: 'allow' })).searchParams.get('code') ?? '';
    const before = app.stub.requestsTo('logout').length;
    await app.proxy.keepHouse();
    expect(app.stub.requestsTo('logout').length).toBe(before + 1);
    expect((await grantOf(code))?.state).toBe('approved');
  });

  test('a code is stored as its hash, and the password sealed, for two minutes', async () => {
    await signIn(requestOf({ client_id: web, nonce: 'a nonce' }));
    const code = leadsTo(await visitor.send({ decision: 'allow' })).searchParams.get('code') ?? '';
    const grant = await grantOf(code);
    expect(grant).toMatchObject({ nonce: 'a nonce', expiresAt: Number(grant?.createdAt) + 120_000 });
    expect(JSON.stringify(grant)).not.toContain(code);
    expect(grant?.sealedLogin?.toString('latin1')).not.toContain('bob password');
  });

  test('an app that gets access was used just now: of those that no one uses the oldest goes first', async () => {
    const usedAt = async () => (await app.storage.read(findClient(web)))[0]?.usedAt ?? 0;
    const before = await usedAt();
    await signIn(requestOf({ client_id: web }));
    expect(await usedAt()).toBe(before);
    await visitor.send({ decision: 'allow' });
    expect(await usedAt()).toBeGreaterThan(before);
  });

  test('a user without 2FA is asked for the password and the consent alone', async () => {
    await visitor.open(requestOf({ client_id: web }));
    const consent = await visitor.send({ user: 'alice', password: 'alice password' });
    expect(consent.text).toContain('@alice:localhost');
    const address = leadsTo(await visitor.send({ decision: 'allow' }));
    expect((await grantOf(address.searchParams.get('code') ?? ''))?.userId).toBe('@alice:localhost');
  });

  test('a code behind the password is taken', async () => {
    await visitor.open(requestOf({ client_id: web }));
    app.clock.advance(30_000);
    const consent = await visitor.send({ user: 'bob', password: `bob password ${app.code(bob)}` });
    expect(consent.text).toContain('value="allow"');
  });

  test('a recovery code is taken, and the lost authenticator can be replaced first', async () => {
    await visitor.open(requestOf({ client_id: web }));
    await visitor.send({ user: 'bob', password: 'bob password' });
    const consent = await visitor.send({ recovery_code: bob.recoveryCodes[0] ?? '' });
    expect(consent.text).toContain('You used a recovery code');
    const replace = /href="(\/_2fa\/login\/replace[^"]*)"/.exec(consent.text)?.[1] ?? '';
    const page = await visitor.open(replace.replaceAll('&amp;', '&'));
    expect(page.text).toContain('Replace your authenticator');
    expect(
      leadsTo(
        await visitor.post({ ...formsOf(consent.text)[0]?.fields, decision: 'allow' }, {}, actionOf(consent)),
      ).searchParams.has('code'),
    ).toBe(true);
  });

  test('in German, and formally, where the app or its user asks for it', async () => {
    const consent = await signIn(requestOf({ client_id: web, ui_locales: 'de' }));
    expect(consent.text).toContain('<html lang="de">');
    expect(consent.text).toContain('Einer App Zugriff auf dein Konto geben?');
    expect(consent.text).toContain('>Erlauben</button>');
  });

  test('the name that the app knows stands in the field, and decides nothing', async () => {
    const first = await visitor.open(requestOf({ client_id: web, login_hint: 'mxid:@carol:localhost' }));
    expect(first.text).toContain('value="@carol:localhost"');
    const consent = await visitor.send({ user: 'alice', password: 'alice password' });
    expect(consent.text).toContain('@alice:localhost');
  });

  describe('the way back', () => {
    test.each([
      ['the scheme of an app', NATIVE_BACK],
      ['an address that an app has claimed', 'https://app.example.com/native'],
    ])('for %s is a page with the whole link, which a reload shows again', async (_what, redirect_uri) => {
      await signIn(requestOf({ client_id: native, redirect_uri }));
      const page = await visitor.send({ decision: 'allow' });
      expect(page.status).toBe(200);
      const address = leadsTo(page);
      expect(address.href.startsWith(`${redirect_uri}?code=`)).toBe(true);
      // An Enter too many presses nothing.
      expect(page.text).not.toMatch(/<a[^>]* autofocus/);
      expect(leadsTo(await visitor.open(visitor.led ?? '')).href).toBe(address.href);
      app.clock.advance(121_000);
      const late = await visitor.open(visitor.led ?? '');
      expect(late.status).toBe(410);
      expect(late.text).not.toContain('code=');
    });

    test('to loopback is a 303, to the port that was asked for', async () => {
      await signIn(requestOf({ client_id: native, redirect_uri: 'http://127.0.0.1:43210/back' }));
      const back = await visitor.send({ decision: 'allow' });
      expect(back.status).toBe(303);
      expect(leadsTo(back).origin).toBe('http://127.0.0.1:43210');
    });

    test('has the answer in the fragment where the app asks for that', async () => {
      await signIn(requestOf({ client_id: web, response_mode: 'fragment' }));
      const address = leadsTo(await visitor.send({ decision: 'allow' }));
      expect(address.search).toBe('');
      expect(address.hash).toMatch(/^#code=[A-Za-z0-9_-]{43}&state=the%20state&iss=/);
    });

    test('after a no says so, and the held login ends', async () => {
      await app.proxy.keepHouse();
      await signIn(requestOf({ client_id: web }));
      const count = await grants();
      const back = await visitor.send({ decision: 'deny' });
      expect(back.status).toBe(303);
      expect(leadsTo(back).search).toBe(
        `?error=access_denied&state=the%20state&iss=${encodeURIComponent(ISSUER)}`,
      );
      expect(await grants()).toBe(count);
      const before = app.stub.requestsTo('logout').length;
      await app.proxy.keepHouse();
      expect(app.stub.requestsTo('logout').length).toBe(before + 1);
    });

    test('after a no to an app of the device is a link', async () => {
      await signIn(requestOf({ client_id: native, redirect_uri: NATIVE_BACK }));
      const page = await visitor.send({ decision: 'deny' });
      expect(page.text).toContain('Sign-in cancelled');
      expect(leadsTo(page).searchParams.get('error')).toBe('access_denied');
    });
  });

  test('attack 302: an unknown app or address is a page without a link, and does not show where it leads', async () => {
    for (const wrong of [
      requestOf({ client_id: 'unknown' }),
      requestOf({ client_id: web, redirect_uri: 'https://evil.example.net/' }),
      `${requestOf({ client_id: web })}&redirect_uri=https%3A%2F%2Fevil.example.net%2F`,
      `${requestOf({ client_id: web })}&client_id=${native}`,
    ]) {
      const page = await visitor.open(wrong);
      expect(page.status).toBe(400);
      expect(page.text).not.toContain('evil.example.net');
      expect(page.text).not.toContain('class="button full"');
    }
  });

  test.each([
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
    [{ code_challenge: 'short' }, 'invalid_request'],
    [{ scope: 'urn:matrix:client:api:*' }, 'invalid_scope'],
    [
      {
        scope:
          'urn:matrix:client:api:* urn:matrix:client:device:A urn:matrix:org.matrix.msc2967.client:device:B',
      },
      'invalid_scope',
    ],
    [{ prompt: 'none' }, 'login_required'],
  ])('attack 303: %j is told on a page, and the app hears of it only by its link', async (wrong, error) => {
    const page = await visitor.open(requestOf({ client_id: web, ...wrong }));
    expect(page.status).toBe(400);
    expect(page.headers.location).toBeUndefined();
    const link = leadsTo(page);
    expect(link.origin + link.pathname).toBe(WEB_BACK);
    expect(Object.fromEntries(link.searchParams)).toEqual({ error, state: 'the state', iss: ISSUER });
  });

  test('attack 304: no more is granted than is asked for, and of that only what is known', async () => {
    const scope =
      'openid urn:matrix:org.matrix.msc2967.client:api:* urn:synapse:admin:* urn:matrix:client:device:X+/y';
    await signIn(requestOf({ client_id: web, scope }));
    const address = leadsTo(await visitor.send({ decision: 'allow' }));
    expect(await grantOf(address.searchParams.get('code') ?? '')).toMatchObject({
      scope: 'openid urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:client:device:X+/y',
      deviceId: 'X+/y',
    });
  });

  test('attack 305: GET redirects nowhere and stores nothing, whatever the browser brings', async () => {
    await signIn(requestOf({ client_id: web }));
    await visitor.send({ decision: 'allow' });
    const tables = ['visits', 'sessions', 'holds', 'oauth_grants', 'oauth_clients'];
    const counted = async () =>
      Promise.all(
        tables.map(async (name) => {
          const sql = `SELECT count(*) AS count FROM ${name}`;
          const [row] = await app.storage.read<{ count: number }>({ does: 'ask', sql, values: {} });
          return Number(row?.count);
        }),
      );
    // What has expired goes at any time: now, and not in between.
    await app.proxy.keepHouse();
    const before = await counted();
    for (const more of [
      {},
      { prompt: 'none' },
      { prompt: 'create' },
      { decision: 'allow' },
      { user: 'bob' },
    ]) {
      const page = await visitor.open(requestOf({ client_id: web, ...more }));
      expect([200, 400]).toContain(page.status);
      expect(page.headers.location).toBeUndefined();
      expect(page.text).not.toContain('value="allow"');
    }
    // Held logins that have ended may go meanwhile.
    const after = await counted();
    expect(after.filter((count, at) => count > (before[at] ?? 0))).toEqual([]);
  });

  test('attack 306: a state stays a state: it becomes no markup, no header and no parameter', async () => {
    const state = '"><script>alert(1)</script>&code=stolen#x\r\nLocation: https://evil.example.net';
    const fault = await visitor.open(requestOf({ client_id: web, scope: '', state }));
    expect(fault.text).not.toContain('<script>alert');
    expect(leadsTo(fault).searchParams.get('state')).toBe(state);
    await signIn(requestOf({ client_id: web, state }));
    const address = leadsTo(await visitor.send({ decision: 'allow' }));
    expect(address.searchParams.get('state')).toBe(state);
    expect(address.searchParams.getAll('code')).toHaveLength(1);
  });

  describe('attack 307: no step is skipped', () => {
    test('consent before the password, and before the code', async () => {
      const count = await grants();
      const first = await visitor.open(requestOf({ client_id: web }));
      const fields = { ...formsOf(first.text)[0]?.fields, user: '', password: '', decision: 'allow' };
      await visitor.post(fields, {}, actionOf(first));
      const code = await visitor.send({ user: 'bob', password: 'bob password' });
      const [form] = formsOf(code.text);
      const skipped = await visitor.post(
        { ...form?.fields, code: '', decision: 'allow' },
        {},
        actionOf(code),
      );
      expect(skipped.text).toContain('one-time-code');
      expect(await grants()).toBe(count);
    });

    test('a consent is good once: sent ten times at once it makes one code', async () => {
      const consent = await signIn(requestOf({ client_id: web }));
      const count = await grants();
      const fields = { ...formsOf(consent.text)[0]?.fields, decision: 'allow' };
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => visitor.postOnly(fields, {}, actionOf(consent))),
      );
      expect(await grants()).toBe(count + 1);
      const codes = answers.filter(({ headers }) => headers.location?.startsWith(WEB_BACK));
      expect(codes).toHaveLength(1);
      const again = await visitor.postOnly(fields, {}, actionOf(consent));
      expect(again.headers.location).toMatch(/^\/_2fa\/oauth2\/authorize\?v=/);
      expect(await grants()).toBe(count + 1);
    });

    test('the form of another browser, or of another sign-in', async () => {
      const consent = await signIn(requestOf({ client_id: web }));
      const count = await grants();
      const fields = { ...formsOf(consent.text)[0]?.fields, decision: 'allow' };
      const other = new Visitor(app.url);
      const otherFirst = await other.open(requestOf({ client_id: web }));
      expect((await other.postOnly(fields, {}, actionOf(consent))).status).toBe(403);
      const theirs = { ...fields, form_token: formsOf(otherFirst.text)[0]?.fields.form_token ?? '' };
      expect((await other.postOnly(theirs, {}, actionOf(consent))).status).toBe(410);
      expect(await grants()).toBe(count);
    });

    test('another sign-in page: a visit of it is none here', async () => {
      await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent(WEB_BACK)}`);
      await visitor.send({ user: 'alice', password: 'alice password' });
      const v = new URL(visitor.led ?? '', app.url).searchParams.get('v') ?? '';
      expect((await visitor.open(`${AUTHORIZE}?v=${v}`)).status).toBe(410);
    });

    test('another request in the form of a sign-in under way changes nothing', async () => {
      const consent = await signIn(requestOf({ client_id: web }));
      const request = requestOf({ client_id: native, redirect_uri: NATIVE_BACK }).split('?')[1] ?? '';
      const fields = { ...formsOf(consent.text)[0]?.fields, decision: 'allow', request };
      const back = await visitor.postOnly(fields, {}, actionOf(consent));
      const code = leadsTo(back).searchParams.get('code') ?? '';
      expect(await grantOf(code)).toMatchObject({ clientId: web, redirectUri: WEB_BACK });
    });
  });

  test('attack 308: consent is not given in a frame, by GET, from elsewhere, or by an Enter that is held', async () => {
    const consent = await signIn(requestOf({ client_id: web }));
    const count = await grants();
    expect(consent.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(consent.headers['x-frame-options']).toBe('DENY');
    expect(consent.text).toMatch(/<form[^>]* data-unhurried/);
    expect(consent.text).toMatch(/<h1 tabindex="-1" autofocus>/);
    expect(consent.text).not.toMatch(/<button[^>]* autofocus/);
    const fields = { ...formsOf(consent.text)[0]?.fields, decision: 'allow' };
    await visitor.open(`${actionOf(consent)}&${new URLSearchParams(fields)}`);
    for (const headers of [{ origin: 'https://evil.example.net' }, { 'sec-fetch-site': 'cross-site' }]) {
      expect((await visitor.postOnly(fields, headers, actionOf(consent))).status).toBe(403);
    }
    expect(await grants()).toBe(count);
  });

  test('attack 309: no device id goes to the homeserver before the consent, nor with it', async () => {
    const scope = 'urn:matrix:client:api:* urn:matrix:client:device:UNHEARDOF';
    await signIn(requestOf({ client_id: web, scope }));
    await visitor.send({ decision: 'allow' });
    expect(requestsUpstream().filter((request) => request.includes('UNHEARDOF'))).toEqual([]);
  });

  test('attack 309: that the session of a device ends is told of one’s own devices, and of no one else’s', async () => {
    app.stub.signIn('bob', 'BOBPHONE');
    app.stub.signIn('carol', 'CAROLPHONE');
    const scope = (id: string) => `urn:matrix:client:api:* urn:matrix:client:device:${id}`;
    const own = await signIn(requestOf({ client_id: web, scope: scope('BOBPHONE') }));
    expect(own.text).toContain('You are already signed in on the device <b>BOBPHONE</b>');
    visitor = new Visitor(app.url);
    const foreign = await signIn(requestOf({ client_id: web, scope: scope('CAROLPHONE') }));
    expect(foreign.text).not.toContain('already signed in');
  });

  test('attack 310: every answer names its issuer, and each code is of one app and one address', async () => {
    await signIn(requestOf({ client_id: native, redirect_uri: NATIVE_BACK }));
    const address = leadsTo(await visitor.send({ decision: 'allow' }));
    expect(address.searchParams.get('iss')).toBe(ISSUER);
    expect(await grantOf(address.searchParams.get('code') ?? '')).toMatchObject({
      clientId: native,
      redirectUri: NATIVE_BACK,
    });
  });

  test('attack 311: the same browser is asked for password and code again, each time', async () => {
    await signIn(requestOf({ client_id: web }));
    await visitor.send({ decision: 'allow' });
    const again = await visitor.open(requestOf({ client_id: web }));
    expect(again.text).toContain('name="password"');
    const code = await visitor.send({ user: 'bob', password: 'bob password' });
    expect(code.text).toContain('one-time-code');
  });

  test('attack 312: factors that change between code and consent make no code', async () => {
    const count = await grants();
    await signIn(requestOf({ client_id: web }));
    await app.storage.commit(
      ['@bob:localhost'],
      effect('UPDATE accounts SET version = version + 1 WHERE user_id = :userId', {
        userId: '@bob:localhost',
      }),
    );
    const page = await visitor.send({ decision: 'allow' });
    expect(page.status).toBe(403);
    expect(page.text).toContain('Your account has changed');
    expect(await grants()).toBe(count);
  });

  test('attack 313: an app that is removed, or changed, between the forms gets nothing', async () => {
    const passing = await registerApp(app);
    await signIn(requestOf({ client_id: passing }));
    const count = await grants();
    await app.storage.commit([], decide('DELETE FROM oauth_clients WHERE client_id = :passing', { passing }));
    const page = await visitor.send({ decision: 'allow' });
    expect(page.status).toBe(400);
    expect(await grants()).toBe(count);
  });

  test('a wrong code is told as on the sign-in page', async () => {
    await visitor.open(requestOf({ client_id: web }));
    await visitor.send({ user: 'bob', password: 'bob password' });
    const wrong = await visitor.send({ code: app.wrongCode(bob) });
    expect(wrong.text).toContain('That code is incorrect');
    app.clock.advance(3_600_000);
  });
});

describeOnSharedDatabases('where the operator has not switched it on', (start) => {
  test('the page is not there', async () => {
    const app = await start({ users: USERS });
    const answer = await call(app.url, { target: requestOf({ client_id: 'any' }) });
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.text)).toMatchObject({ errcode: 'M_UNRECOGNIZED' });
    const posted = await call(app.url, { method: 'POST', target: AUTHORIZE, body: 'user=a' });
    expect(posted.status).toBe(404);
  });
});

/** Where the form of a page goes. */
function actionOf({ text }: HttpAnswer): string {
  return formsOf(text)[0]?.action.replaceAll('&amp;', '&') ?? '';
}
