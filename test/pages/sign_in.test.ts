import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { beforeCall } from '../login/support.ts';
import { type AppOptions, LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { expectJudged } from '../support/judged.ts';
import { pageSession } from '../support/page_session.ts';
import { formsOf, Visitor } from '../support/visitor.ts';

const CLIENT = 'https://app.example.net/?x=1#/home';
const PAGE = pageFor(CLIENT);
const USERS = [
  { name: 'alice', password: 'alice password' },
  { name: 'bob', password: 'bob password' },
];

let app: TestApp;
let bob: Enrolled;
let visitor: Visitor;

async function start(options: AppOptions = {}): Promise<void> {
  app = await startApp({ users: USERS, ...options });
  bob = await app.enrol('bob');
  visitor = new Visitor(app.url);
}

beforeEach(() => start());

afterEach(() => app.stop());

async function restartWith(options: AppOptions): Promise<void> {
  await app.stop();
  await start(options);
}

function pageFor(redirectUrl: string): string {
  return `/_2fa/login?redirectUrl=${encodeURIComponent(redirectUrl)}`;
}

/** Opens the page and sends name and password. */
async function credentials(name: string, password = `${name} password`, page = PAGE): Promise<HttpAnswer> {
  await visitor.open(page);
  return visitor.send({ user: name, password });
}

/** Everything up to the redirect; the address that the client gets. */
async function signInBob(page = PAGE): Promise<URL> {
  await credentials('bob', 'bob password', page);
  app.clock.advance(30_000);
  await visitor.send({ code: app.code(bob) });
  return locationOf(await visitor.send({ decision: 'allow' }));
}

function locationOf(answer: HttpAnswer): URL {
  expect(answer.status).toBe(303);
  return new URL(answer.headers.location ?? '');
}

function tokenOf(address: URL): string {
  return address.searchParams.get('loginToken') ?? '';
}

function redeem(token: string, more: object = {}): supertest.Test {
  return supertest(app.url)
    .post(LOGIN)
    .send({ type: 'm.login.token', token, ...more });
}

const loginsUpstream = () => app.stub.requestsTo('login').filter(({ method }) => method === 'POST');

describe('the way in', () => {
  test('GET /login lists our provider first, and login tokens', async () => {
    const answer = expectJudged(await supertest(app.url).get(LOGIN));
    expect(answer.body.flows[0]).toEqual({
      type: 'm.login.sso',
      identity_providers: [{ id: 'two-factor', name: 'password and code' }],
    });
    const types = answer.body.flows.map(({ type }: { type: string }) => type);
    expect(types.slice(0, 2)).toEqual(['m.login.sso', 'm.login.token']);
    expect(types).toContain('m.login.password');
    expect(new Set(types).size).toBe(types.length);
  });

  test('the providers of a homeserver with single sign-on stay listed behind ours', async () => {
    await restartWith({ sso: { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'bob' } });
    const answer = expectJudged(await supertest(app.url).get(LOGIN));
    const singleSignOn = answer.body.flows.filter(({ type }: { type: string }) => type === 'm.login.sso');
    expect(singleSignOn).toHaveLength(1);
    expect(singleSignOn[0].identity_providers).toEqual([
      { id: 'two-factor', name: 'password and code' },
      { id: 'oidc', name: 'University' },
    ]);
  });

  test('the operator names the provider, and may prefer it', async () => {
    await restartWith({ config: 'sso: { name: With a code, preferred: true }' });
    const answer = expectJudged(await supertest(app.url).get(LOGIN));
    expect(answer.body.flows[0]).toMatchObject({
      identity_providers: [{ id: 'two-factor', name: 'With a code' }],
    });
  });

  test('attack 177: preferred, single sign-on carries all three flags that clients read; else none', async () => {
    const flags = [
      'oauth_aware_preferred',
      'delegated_oidc_compatibility',
      'org.matrix.msc3824.delegated_oidc_compatibility',
    ];
    const flagsOf = async () => {
      const [first] = expectJudged(await supertest(app.url).get(LOGIN)).body.flows;
      expect(first.type).toBe('m.login.sso');
      return flags.map((flag) => first[flag]);
    };
    expect(await flagsOf()).toEqual([undefined, undefined, undefined]);
    await restartWith({ config: 'sso: { preferred: true }' });
    expect(await flagsOf()).toEqual([true, true, true]);
  });

  test('switched off, nothing is listed, nothing is led here and there is no page', async () => {
    await restartWith({ config: 'login: { sso: false }' });
    const answer = await supertest(app.url).get(LOGIN);
    expect(answer.body.flows.some(({ type }: { type: string }) => type === 'm.login.sso')).toBe(false);
    expect((await visitor.open(PAGE)).status).toBe(404);
    const redirect = await visitor.open(
      `/_matrix/client/v3/login/sso/redirect?redirectUrl=${encodeURIComponent(CLIENT)}`,
    );
    expect(redirect.status).toBe(404);
  });

  test.each(['r0', 'v3', 'unstable'])(
    '%s: the redirect leads to the page, with and without our id',
    async (prefix) => {
      for (const id of ['', '/two-factor']) {
        const answer = await visitor.open(
          `/_matrix/client/${prefix}/login/sso/redirect${id}?redirectUrl=${encodeURIComponent(CLIENT)}`,
        );
        expect(answer.status).toBe(302);
        expect(answer.headers.location).toBe(PAGE);
      }
      // Who names no provider gets ours where the homeserver takes passwords; nothing else is asked.
      expect(app.stub.requests.map(({ method, target }) => `${method} ${target}`)).toEqual([
        'GET /_matrix/client/v3/login',
      ]);
    },
  );

  test('the redirect leads to the page while the homeserver is away', async () => {
    await app.stub.setDown('refuse');
    const answer = await app.call({
      target: `/_matrix/client/v3/login/sso/redirect?redirectUrl=${encodeURIComponent(CLIENT)}`,
    });
    expect(answer.headers.location).toBe(PAGE);
  });
});

describe('signing in', () => {
  test('with 2FA: password, code, confirmation; the token gives the held login itself', async () => {
    const first = await credentials('bob');
    expect(first.status).toBe(200);
    expect(first.text).toContain('autocomplete="one-time-code"');
    expect(first.text).toContain('inputmode="numeric"');
    expect(first.text).toContain('Use a recovery code instead');
    const confirmation = await visitor.send({ code: app.code(bob) });
    expect(confirmation.text).toContain('app.example.net');
    expect(confirmation.text).toContain('@bob:localhost');
    const back = locationOf(await visitor.send({ decision: 'allow' }));
    expect(back.origin + back.hash).toBe('https://app.example.net#/home');
    expect(back.searchParams.get('x')).toBe('1');
    const device = app.stub.devicesOf('bob')[0];
    const answer = expectJudged(await redeem(tokenOf(back), { initial_device_display_name: 'My client' }));
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user_id: '@bob:localhost', device_id: device?.deviceId });
    expect(app.stub.isLive(answer.body.access_token)).toBe(true);
    expect(app.stub.devicesOf('bob')).toMatchObject([{ displayName: 'My client' }]);
    expect(loginsUpstream()).toHaveLength(1);
    expect(loginsUpstream()[0]?.target).toBe(LOGIN);
    expect(loginsUpstream()[0]?.json).toEqual({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'bob' },
      password: 'bob password',
    });
  });

  test('without 2FA: password and confirmation', async () => {
    const confirmation = await credentials('alice');
    expect(confirmation.text).not.toContain('one-time-code');
    const back = locationOf(await visitor.send({ decision: 'allow' }));
    const answer = expectJudged(await redeem(tokenOf(back)));
    expect(answer.status).toBe(200);
    expect(answer.body.user_id).toBe('@alice:localhost');
    expect(loginsUpstream()).toHaveLength(1);
  });

  test('with a device_id the client gets a login of its own, and the held one is logged out', async () => {
    const mine = app.stub.signIn('bob', 'BOBPHONE');
    const back = await signInBob();
    const answer = expectJudged(await redeem(tokenOf(back), { device_id: 'BOBPHONE' }));
    expect(answer.body).toMatchObject({ user_id: '@bob:localhost', device_id: 'BOBPHONE' });
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['BOBPHONE']);
    expect(mine.deviceId).toBe('BOBPHONE');
  });

  test('an account without 2FA may ask for a device, too', async () => {
    await credentials('alice');
    const back = locationOf(await visitor.send({ decision: 'allow' }));
    const answer = await redeem(tokenOf(back), { device_id: 'ALICEPHONE' });
    expect(answer.body.device_id).toBe('ALICEPHONE');
  });

  test('by e-mail address, where the homeserver knows it', async () => {
    await app.stop();
    await start({ users: [{ name: 'bob', password: 'bob password', emails: ['bob@example.org'] }] });
    await credentials('bob@example.org', 'bob password');
    await visitor.send({ code: app.code(bob) });
    const back = locationOf(await visitor.send({ decision: 'allow' }));
    expect((await redeem(tokenOf(back))).body.user_id).toBe('@bob:localhost');
  });

  test('a wrong password and an unknown user are told alike; the name stays, the password does not', async () => {
    const wrong = await credentials('bob', 'wrong <pass');
    expect(wrong.status).toBe(200);
    expect(wrong.text).toContain('<title>Error: Sign in');
    expect(wrong.text).toContain('Incorrect username or password.');
    expect(wrong.text).toContain('value="bob"');
    expect(wrong.text).not.toContain('wrong &lt;pass');
    const unknown = await credentials('nobody', 'wrong <pass');
    const same = (page: HttpAnswer, name: string) =>
      page.text.replaceAll(`"${name}"`, '""').replaceAll(/nonce="[^"]*"|v=[\w-]{22}/g, '');
    expect(same(unknown, 'nobody')).toBe(same(wrong, 'bob'));
  });

  test('a wrong code does not come back; blanks do not matter', async () => {
    await credentials('bob');
    const wrong = app.wrongCode(bob);
    const refused = await visitor.send({ code: wrong });
    expect(refused.status).toBe(200);
    expect(refused.text).not.toContain(wrong);
    expect(refused.text).toContain('That code is incorrect or was already used.');
    expect(refused.text).toContain('aria-invalid="true"');
    const code = app.code(bob);
    const accepted = await visitor.send({ code: ` ${code.slice(0, 3)} ${code.slice(3)} ` });
    expect(accepted.text).toContain('app.example.net');
  });

  test('attack 94: with a recovery code; the page tells how many are left, 2FA stays on', async () => {
    await credentials('bob');
    const typed = bob.recoveryCodes[0] ?? '';
    const confirmation = await visitor.send({ recovery_code: typed.toUpperCase() });
    expect(confirmation.text).toContain('2 are left');
    expect(confirmation.text).toContain('/_2fa/account');
    const back = locationOf(await visitor.send({ decision: 'allow' }));
    expect((await redeem(tokenOf(back))).status).toBe(200);
    expect(await app.storage.factors.isEnrolled(bob.userId)).toBe(true);
    const events = await app.storage.audit.list({ userId: bob.userId });
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['recovery.used', 'login.completed']),
    );
  });

  test('a client on the list needs no confirmation, except after a recovery code', async () => {
    await restartWith({ config: 'sso: { clients: ["https://app.example.net"] }' });
    await credentials('bob');
    locationOf(await visitor.send({ code: app.code(bob) }));
    await credentials('bob');
    const told = await visitor.send({ recovery_code: bob.recoveryCodes[0] ?? '' });
    expect(told.status).toBe(200);
    expect(told.text).toContain('are left');
    await credentials('alice', 'alice password', pageFor('https://app.example.net.evil.example/'));
    expect(visitor.last?.status).toBe(200);
    expect(visitor.last?.text).toContain('app.example.net.evil.example');
  });

  test('the page speaks the language of its reader', async () => {
    visitor = new Visitor(app.url, { 'accept-language': 'de-AT, en;q=0.5' });
    const page = await visitor.open(PAGE);
    expect(page.text).toContain('<html lang="de">');
    expect(page.text).toContain('Anmelden');
  });

  test('the languages that the client asks for go with the sign-in, whatever the browser asks for', async () => {
    const asks = 'ui_locales=de-AT%20en';
    visitor = new Visitor(app.url, { 'accept-language': 'en' });
    const redirect = await visitor.open(
      `/_matrix/client/v3/login/sso/redirect?redirectUrl=${encodeURIComponent(CLIENT)}&${asks}`,
    );
    expect(redirect.headers.location).toBe(`${PAGE}&${asks}`);
    await visitor.open(redirect.headers.location ?? '');
    const seen = [
      await visitor.send({ user: 'bob', password: 'wrong' }),
      await visitor.send({ user: 'bob', password: 'bob password' }),
      await visitor.send({ code: app.wrongCode(bob) }),
    ];
    app.clock.advance(30_000);
    seen.push(await visitor.send({ code: app.code(bob) }));
    for (const { text } of seen) expect(text).toContain('<html lang="de">');
    expect(seen[2]?.text).toContain(`href="${PAGE}&amp;${asks}"`);
    await visitor.send({ decision: 'deny' });
    expect(visitor.last?.text).toContain('Anmeldung abgebrochen');
  });

  test('attack 67: what is no language is not handed on', async () => {
    for (const other of ['', 'de%0d%0aX: y', '"><b>', `${'x'.repeat(600)}`, '../de']) {
      const page = `${PAGE}&ui_locales=${encodeURIComponent(other)}`;
      expect((await visitor.open(page)).text).toContain('<html lang="en">');
      expect(formsOf(visitor.last?.text ?? '')[0]?.action).not.toContain('ui_locales');
    }
  });

  test('the account page keeps them, too, and has them where its sign-in has led', async () => {
    visitor = new Visitor(app.url, { 'accept-language': 'en' });
    await visitor.open('/_2fa/account?action=devices&ui_locales=de');
    expect((await visitor.send({ user: 'bob', password: 'bob password' })).text).toContain(
      '<html lang="de">',
    );
    app.clock.advance(30_000);
    await visitor.send({ code: app.code(bob) });
    expect(visitor.led).toBe('/_2fa/account?action=devices&ui_locales=de');
  });
});

describe('one homeserver login for all doors (R12)', () => {
  test('attack 108: 20 people with the password open the page; the homeserver sees one login', async () => {
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const other = new Visitor(app.url);
        await other.open(PAGE);
        const answer = await other.send({ user: 'bob', password: 'bob password' });
        expect(answer.status).toBe(200);
      }),
    );
    await app.post(LOGIN, passwordLogin('bob', 'bob password'));
    expect(loginsUpstream()).toHaveLength(1);
    const back = await signInBob();
    expect((await redeem(tokenOf(back))).status).toBe(200);
    expect(loginsUpstream()).toHaveLength(1);
  });

  test('the second one whose code was accepted gets a login of their own, and no further code is asked for', async () => {
    await credentials('bob');
    await visitor.send({ code: app.code(bob) });
    const other = visitor;
    visitor = new Visitor(app.url);
    app.clock.advance(30_000);
    const back = await signInBob();
    const first = await redeem(tokenOf(back));
    expect(first.status).toBe(200);
    const second = await redeem(tokenOf(locationOf(await other.send({ decision: 'allow' }))));
    expect(second.status).toBe(200);
    expect(second.body.access_token).not.toBe(first.body.access_token);
    expect(loginsUpstream()).toHaveLength(2);
  });

  test('a second one whose password was changed meanwhile has to sign in again', async () => {
    await credentials('bob');
    await visitor.send({ code: app.code(bob) });
    const other = visitor;
    visitor = new Visitor(app.url);
    app.clock.advance(30_000);
    await redeem(tokenOf(await signInBob()));
    app.stub.user('bob').password = 'another one';
    const late = await other.send({ decision: 'allow' });
    expect(late.status).toBe(403);
    expect(late.headers.location).toBeUndefined();
  });

  test('an abandoned sign-in is logged out at its end, with and without 2FA', async () => {
    await credentials('bob');
    await credentials('alice');
    expect(app.stub.liveTokens('bob')).toHaveLength(1);
    app.clock.advance(5 * 60_000);
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob')).toEqual([]);
    expect(app.stub.devicesOf('alice')).toEqual([]);
  });

  test('attack 107: a 429 to the second login leaves the token as it was', async () => {
    const back = await signInBob();
    app.stub.failNext(/POST .*\/login/, {
      status: 429,
      body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too many', retry_after_ms: 4000 },
    });
    const first = expectJudged(await redeem(tokenOf(back), { device_id: 'NEW' }));
    expect(first.status).toBe(429);
    expect(first.headers['retry-after']).toBe('4');
    expect((await redeem(tokenOf(back), { device_id: 'NEW' })).status).toBe(200);
  });
});

describe('login tokens', () => {
  test('attack 69: a token works once, of 20 at the same moment one', async () => {
    const token = tokenOf(await signInBob());
    const answers = await Promise.all(Array.from({ length: 20 }, () => redeem(token)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(19);
    expect(expectJudged(await redeem(token)).body.errcode).toBe('M_FORBIDDEN');
  });

  test('attack 69: a token is worth nothing after two minutes', async () => {
    const token = tokenOf(await signInBob());
    app.clock.advance(2 * 60_000);
    expect(expectJudged(await redeem(token)).status).toBe(403);
  });

  test('attack 69: an invented token of our kind is refused and never reaches the homeserver', async () => {
    const token = tokenOf(await signInBob());
    app.stub.clear();
    expect(expectJudged(await redeem(`${token.slice(0, -1)}!`)).status).toBe(403);
    expect(app.stub.requests).toEqual([]);
  });

  test('attack 69: the token goes where the sign-in began, whatever the last form says', async () => {
    await credentials('bob');
    await visitor.send({ code: app.code(bob) });
    const answer = await visitor.post({
      ...Object.fromEntries(new URLSearchParams('decision=allow')),
      ...hiddenFields(),
      redirectUrl: 'https://evil.example/',
    });
    expect(locationOf(answer).host).toBe('app.example.net');
  });

  test('attack 69: one confirmation, one token', async () => {
    await credentials('bob');
    await visitor.send({ code: app.code(bob) });
    const page = visitor.last;
    locationOf(await visitor.send({ decision: 'allow' }));
    visitor.last = page;
    const again = await visitor.send({ decision: 'allow' });
    expect([again.status, visitor.sent?.status]).toEqual([410, 303]);
    expect(again.text).toContain('You already signed in');
  });

  test('attack 39: 2FA turned on after the page was passed without it: refused', async () => {
    await credentials('alice');
    const back = locationOf(await visitor.send({ decision: 'allow' }));
    await app.enrol('alice');
    expect(expectJudged(await redeem(tokenOf(back))).status).toBe(403);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('alice')).toEqual([]);
  });

  test('attack 39: 2FA turned on before the confirmation of a page that was passed without it: no ticket', async () => {
    await credentials('alice');
    await app.enrol('alice');
    const answer = await visitor.send({ decision: 'allow' });
    expect(answer.status).toBe(403);
    expect(answer.headers.location).toBeUndefined();
  });

  test('attack 39: 2FA turned on as the confirmation is looked at: no ticket', async () => {
    await credentials('alice');
    beforeCall(app.storage.factors, 'owing', () => app.enrol('alice'));
    const answer = await visitor.send({ decision: 'allow' });
    expect(answer.status).toBe(403);
    expect(answer.headers.location).toBeUndefined();
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('alice')).toEqual([]);
  });

  test('attack 39: 2FA turned off after the page was passed with it: refused', async () => {
    const back = await signInBob();
    await app.storage.factors.removeAllFactors(bob.userId);
    expect(expectJudged(await redeem(tokenOf(back))).status).toBe(403);
  });

  test('no confirmation without the code', async () => {
    await credentials('bob');
    const answer = await visitor.post({ ...hiddenFields(), decision: 'allow' });
    expect(visitor.sent?.headers.location).toMatch(/^\/_2fa\/login\?v=/);
    expect(answer.text).toContain('one-time-code');
  });

  test('a session of the page is worth nothing at POST /login', async () => {
    await credentials('bob');
    const session = await pageSession(app);
    expect(session).toMatch(/^m2fa_/);
    expect(visitor.last?.text).not.toContain(session);
    const body = { auth: { type: 'm.login.2fa.totp', session, token: app.code(bob) } };
    expect((await supertest(app.url).post(LOGIN).send(body)).status).toBe(403);
  });
});

/** The hidden fields of the last page's first form. */
function hiddenFields(): Record<string, string> {
  const fields = [
    ...(visitor.last?.text ?? '').matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g),
  ];
  return Object.fromEntries(fields.map(([, name, value]) => [name, value]));
}

test('users without 2FA sign in by the page as often as they like', async () => {
  for (let time = 0; time < 8; time++) {
    visitor = new Visitor(app.url);
    await credentials('alice');
    locationOf(await visitor.send({ decision: 'allow' }));
  }
});

test('only abandoned sign-ins by the page use an allowance up', async () => {
  for (let time = 0; time < 6; time++) {
    visitor = new Visitor(app.url);
    const token = tokenOf(await signInBob());
    const login = await app.post(LOGIN, { type: 'm.login.token', token });
    expect(login.status).toBe(200);
  }
});
