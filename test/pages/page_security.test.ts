import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { parseClient } from '../../src/config/values.ts';
import { startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { pageSession } from '../support/page_session.ts';
import { countSessions } from '../support/rows.ts';
import { formsOf, Visitor } from '../support/visitor.ts';

const PUBLIC = 'https://matrix.example.org';
const SIGN_IN = '/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F';
const PASSWORD = 'a password <of> bob';

let app: TestApp;
let bob: Enrolled;
let visitor: Visitor;
let logged: string;

beforeEach(async () => {
  logged = '';
  const note = (fields: object, text: string) => {
    logged += `${JSON.stringify(fields)} ${text}\n`;
  };
  app = await startApp({
    users: [
      { name: 'alice', password: 'alice password' },
      { name: 'bob', password: PASSWORD },
    ],
    config: 'sso: { clients: ["http://intranet.example:8080", "https://app.example.org"] }',
    log: { debug: note, info: note, warn: note, error: note },
  });
  bob = await app.enrol('bob');
  visitor = new Visitor(app.url);
});

afterEach(() => app.stop());

async function fallbackPage(): Promise<string> {
  const { token } = app.stub.signIn('bob');
  const challenge = await app.post('/_matrix/client/v3/delete_devices', { devices: ['A'] }, token);
  return `/_matrix/client/v3/auth/m.login.sso/fallback/web?session=${challenge.json.session}`;
}

function pageFor(redirectUrl: string): string {
  return `/_2fa/login?redirectUrl=${encodeURIComponent(redirectUrl)}`;
}

function expectGuarded(page: HttpAnswer): void {
  const { headers } = page;
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['x-frame-options']).toBe('DENY');
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['referrer-policy']).toBe('no-referrer');
  expect(headers['cache-control']).toBe('no-store');
  expect(headers['access-control-allow-origin']).toBeUndefined();
  // A client waits for its popup, and form-action would judge the way back to a client's own scheme, too.
  expect(headers['cross-origin-opener-policy']).toBeUndefined();
  const policy = String(headers['content-security-policy']);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/form-action|unsafe-inline|unsafe-eval/);
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
  expect(nonce).toBeDefined();
  const tags = page.text.match(/<(script|style|link rel="stylesheet")[^>]*>/g) ?? [];
  expect(tags.length).toBeGreaterThan(0);
  for (const tag of tags) expect(tag).toContain(`nonce="${nonce}"`);
  expect(page.text).not.toMatch(/ on[a-z]+="|style="|javascript:/);
}

describe('headers', () => {
  test('attack 65: every page, good or bad, is framed by nobody, kept by nobody and runs nothing inline', async () => {
    const pages = [
      await visitor.open(SIGN_IN),
      await visitor.send({ user: 'bob', password: 'wrong' }),
      await visitor.send({ user: 'bob', password: PASSWORD }),
      await visitor.send({ code: app.wrongCode(bob) }),
      await visitor.send({ code: app.code(bob) }),
      await visitor.open('/_2fa/login'),
      await visitor.post({ step: 'credentials' }, { origin: 'https://evil.example' }),
      await visitor.open(await fallbackPage()),
      await visitor.open('/_matrix/client/r0/auth/m.login.sso/fallback/web?session=m2fa_x'),
    ];
    expect(pages.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 400, 403, 200, 410]);
    for (const page of pages) expectGuarded(page);
    const nonces = pages.map(({ headers }) => headers['content-security-policy']);
    expect(new Set(nonces).size).toBe(pages.length);
  });

  test('the way back to the client tells nobody where it came from, and is not kept', async () => {
    await visitor.open(SIGN_IN);
    await visitor.send({ user: 'alice', password: 'alice password' });
    const back = await visitor.send({ decision: 'allow' });
    expect(back.status).toBe(303);
    expect(back.headers['referrer-policy']).toBe('no-referrer');
    expect(back.headers['cache-control']).toBe('no-store');
    expect(back.text).toBe('');
  });
});

describe('forms from elsewhere', () => {
  const credentials = { user: 'bob', password: PASSWORD };

  test.each<[string, Record<string, string>]>([
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['a foreign Origin that looks alike', { origin: `${PUBLIC}.evil.example` }],
    ['another port of ours', { origin: `${PUBLIC}:8443` }],
    ['a cross-site form', { 'sec-fetch-site': 'cross-site' }],
    ['a cross-site form without referrer', { origin: 'null', 'sec-fetch-site': 'cross-site' }],
    ['a sister site', { 'sec-fetch-site': 'same-site', origin: 'https://other.example.org' }],
  ])('attack 88: %s: 403, nothing is looked at', async (_name, headers) => {
    await visitor.open(SIGN_IN);
    const answer = await visitor.send(credentials, headers);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('It was not sent from this page');
    expect(app.stub.requests).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ['without a word on its origin', {}],
    ['from a page without referrer', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
    ['from our public address', { origin: PUBLIC, 'sec-fetch-site': 'same-origin' }],
    ['reloaded by hand', { origin: 'null', 'sec-fetch-site': 'none' }],
  ])('attack 88: our own form %s works', async (_name, headers) => {
    await visitor.open(SIGN_IN);
    expect((await visitor.send(credentials, headers)).status).toBe(200);
  });

  test('attack 88: without the token, with an invented one, or with one of another browser: 403', async () => {
    await visitor.open(SIGN_IN);
    const fields = { step: 'credentials', redirectUrl: 'https://app.example.net/', ...credentials };
    expect((await visitor.post(fields)).status).toBe(403);
    expect((await visitor.post({ ...fields, form_token: '0'.repeat(64) })).status).toBe(403);
    const other = new Visitor(app.url);
    await other.open(SIGN_IN);
    other.cookies.clear();
    expect((await other.send(credentials)).status).toBe(403);
    await visitor.open(SIGN_IN);
    for (const [name] of visitor.cookies) visitor.cookies.set(name, 'A'.repeat(27));
    expect((await visitor.send(credentials)).status).toBe(403);
    expect(app.stub.requests).toEqual([]);
  });

  test('attack 66: a form sent to the fallback page of somebody else’s session does nothing', async () => {
    const target = await fallbackPage();
    await visitor.open(target);
    const code = app.code(bob);
    const answer = await visitor.send({ code }, { origin: 'https://evil.example' });
    expect(answer.status).toBe(403);
    await visitor.open(target);
    expect((await visitor.send({ code })).text).toContain('@bob:localhost');
  });

  test('attack 88: a form with another content type is none', async () => {
    await visitor.open(SIGN_IN);
    const answer = await visitor.send(credentials, { 'content-type': 'text/plain' });
    expect(answer.status).toBe(400);
    expectGuarded(answer);
  });

  test('attack 88: opening, prefetching and asking for the head of a page changes nothing', async () => {
    const target = await fallbackPage();
    const before = await countSessions(app.storage);
    app.stub.clear();
    for (const address of [SIGN_IN, `${SIGN_IN}&decision=allow`, target, `${target}&code=${app.code(bob)}`]) {
      await visitor.open(address);
      await app.call({ target: address, headers: { purpose: 'prefetch', 'sec-purpose': 'prefetch' } });
      expect((await app.call({ method: 'HEAD', target: address })).status).toBe(200);
    }
    expect(app.stub.requestsBesideLookups()).toEqual([]);
    expect(await countSessions(app.storage)).toBe(before);
    expect((await visitor.open(target)).text).toContain('one-time-code');
  });

  test('the cookie is for this host alone, out of reach of scripts and of foreign forms', async () => {
    const page = await visitor.open(SIGN_IN);
    expect(page.headers['set-cookie']).toEqual([
      expect.stringMatching(/^__Host-m2fa_form=[\w-]{27}; Path=\/; HttpOnly; SameSite=Lax; Secure$/),
    ]);
    const again = await visitor.open(SIGN_IN);
    expect(again.headers['set-cookie']).toBeUndefined();
  });

  test('a form that is too large is a page with 413', async () => {
    await visitor.open(SIGN_IN);
    const answer = await visitor.send({ user: 'x'.repeat(70_000), password: 'x' });
    expect(answer.status).toBe(413);
    expectGuarded(answer);
  });
});

describe('where one is sent', () => {
  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\tscript:alert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://app.example.net/1',
    'about:blank',
    'intent://x#Intent;scheme=https;end',
    '//evil.example/',
    '/_2fa/account',
    'app.example.net',
    '',
    'https://',
    'https://good@evil.example/',
    'https://user:word@evil.example/',
    'io.example.app://user@x/',
    'http://app.example.net/',
    'http://intranet.example/',
    'http://intranet.example:80800/',
    'http://127.0.0.1.evil.example/',
  ])('attack 67: %j is no place to go back to', async (redirectUrl) => {
    const page = await visitor.open(pageFor(redirectUrl));
    expect(page.status).toBe(400);
    expect(page.text).not.toContain('<form');
    expect(page.text).not.toContain('evil.example');
    expect((await sendTo(redirectUrl)).status).toBe(400);
    expect(app.stub.requests).toEqual([]);
  });

  /** Sends the first form with another place to go back to. */
  async function sendTo(redirectUrl: string): Promise<HttpAnswer> {
    const [form] = formsOf((await visitor.open(SIGN_IN)).text);
    const action = form?.action.replace(
      /redirectUrl=[^&]*/,
      `redirectUrl=${encodeURIComponent(redirectUrl)}`,
    );
    return visitor.post({ ...form?.fields, user: 'alice', password: 'alice password' }, {}, action);
  }

  test.each<[string, string]>([
    ['https://good.evil.example/', 'good.evil.example'],
    ['https://app.example.org.evil.example/', 'app.example.org.evil.example'],
    ['https://app.example.net:8443/#/x', 'app.example.net:8443'],
    ['https:\\\\evil.example\\@app.example.org', 'evil.example'],
    ['https://аpp.example.org/', 'xn--pp-6kc.example.org'],
    ['http://127.0.0.1:8080/', '127.0.0.1:8080'],
    ['http://localhost:9000/x', 'localhost:9000'],
    ['http://[::1]:9000/x', '[::1]:9000'],
    ['io.element.app:/callback', 'io.element.app'],
    ['element://connect', 'element://connect'],
  ])('attack 67: %j is confirmed as %s', async (redirectUrl, name) => {
    const first = await visitor.open(pageFor(redirectUrl));
    const shown = /^https?:|\\\\/.test(redirectUrl) ? name : `an app on this device (${name})`;
    expect(first.text).toContain(`<b class="destination">${shown}</b>`);
    const confirmation = await visitor.send({ user: 'alice', password: 'alice password' });
    expect(confirmation.text).toContain(`<strong class="destination">${name}</strong>`);
    const back = await visitor.send({ decision: 'allow' });
    expect(back.headers.location).toMatch(/[?&]loginToken=m2fat_/);
  });

  test.each([
    ...[
      'ftp',
      'sftp',
      'smb',
      'ldap',
      'ldaps',
      'ws',
      'wss',
      'search-ms',
      'ms-word',
      'ms-settings',
      'MS-Excel',
    ],
    ...['intent', 'view-source', 'filesystem', 'jar', 'res', 'content', 'mailto', 'tel'],
  ])('attack 154: an address of %s: is no place to go back to, nor on the list', async (scheme) => {
    for (const redirectUrl of [`${scheme}://evil.example/x`, `${scheme}:evil.example`]) {
      const page = await visitor.open(pageFor(redirectUrl));
      expect([page.status, page.text.includes('<form')]).toEqual([400, false]);
      expect((await sendTo(redirectUrl)).status).toBe(400);
    }
    expect(app.stub.requests).toEqual([]);
    expect(() => parseClient(`${scheme}://x`)).toThrow(/is never a client/);
  });

  test.each([
    ['io.element.app://evil.example/x', 'io.element.app://evil.example'],
    ['element://good.evil.example:8443/x', 'element://good.evil.example:8443'],
    ['im.app://b\u00fccher.example/', 'im.app://b%C3%BCcher.example'],
    ['im.app://\u202eelpmaxe.live/', 'im.app://%E2%80%AEelpmaxe.live'],
    ['im.app:/callback', 'im.app'],
  ])('attack 154: %j is shown as the app %s', async (redirectUrl, name) => {
    const first = await visitor.open(pageFor(redirectUrl));
    expect(first.text).toContain(`<b class="destination">an app on this device (${name})</b>`);
    const confirmation = await visitor.send({ user: 'alice', password: 'alice password' });
    expect(confirmation.text).toContain(`<strong class="destination">${name}</strong>`);
  });

  test.each([
    'https://app.example.org/',
    'https://app.example.org:443/x?y#z',
    'http://intranet.example:8080/',
  ])('attack 67: %s is on the list and needs no confirmation', async (redirectUrl) => {
    await visitor.open(pageFor(redirectUrl));
    expect((await visitor.send({ user: 'alice', password: 'alice password' })).status).toBe(303);
  });

  test.each([
    'https://app.example.org.evil.example/',
    'https://app.example.org:8443/',
    'https://app.example.orgx/',
    'https://sub.app.example.org/',
  ])('attack 67: %s only begins or ends like one on the list: confirmed', async (redirectUrl) => {
    await visitor.open(pageFor(redirectUrl));
    const answer = await visitor.send({ user: 'alice', password: 'alice password' });
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(`<strong class="destination">${new URL(redirectUrl).host}</strong>`);
  });

  test('attack 67: whatever stands in an address or a field is written as text', async () => {
    const nasty = '"><script>alert(1)</script>';
    const pages = [
      await visitor.open(`${await fallbackPage()}${encodeURIComponent(nasty)}`),
      await visitor.open(
        `/_matrix/client/v3/auth/m.login.sso/fallback/web?session=m2fa_${encodeURIComponent(nasty)}`,
      ),
      await visitor.open(pageFor(`https://app.example.net/${nasty}`)),
      await visitor.send({ user: nasty, password: nasty }),
    ];
    await visitor.open(SIGN_IN);
    await visitor.send({ user: 'bob', password: PASSWORD });
    pages.push(await visitor.send({ code: nasty }));
    for (const page of pages) {
      expect(page.text).not.toContain('<script>alert');
      expectGuarded(page);
    }
  });
});

test('attack 68: the page tells its opener one word and listens to nothing', async () => {
  const target = await fallbackPage();
  await visitor.open(target);
  await visitor.send({ code: app.code(bob) });
  const done = await visitor.send({ password: PASSWORD });
  const [script = ''] = /\/_2fa\/assets\/[^"]*auth_done\.js/.exec(done.text) ?? [];
  const source = (await app.call({ target: script })).text;
  const posted = [...source.matchAll(/postMessage\((.*?)\)/g)].map(([, what]) => what);
  expect(posted).toEqual(["'authDone', '*'"]);
  expect(source).not.toMatch(/addEventListener|onmessage/);
});

test('attack 70: neither logs nor pages hold a password, a code, a token or a session', async () => {
  await visitor.open(SIGN_IN);
  const wrong = await visitor.send({ user: 'bob', password: 'another password' });
  const first = await visitor.send({ user: 'bob', password: PASSWORD });
  const session = await pageSession(app);
  const code = app.code(bob);
  const second = await visitor.send({ code });
  const back = await visitor.send({ decision: 'allow' });
  const loginToken = new URL(back.headers.location ?? '').searchParams.get('loginToken') ?? 'none';
  app.stub.failNext('/login', { status: 500, body: {} });
  await app.post('/_matrix/client/v3/login', { type: 'm.login.token', token: loginToken });
  for (const secret of [PASSWORD, 'another password', code, loginToken, session]) {
    expect(logged).not.toContain(secret);
  }
  for (const page of [wrong, first, second]) {
    expect(page.text).not.toMatch(/a password &lt;of|another password/);
    expect(page.text).not.toContain(loginToken);
  }
  expect(second.text).not.toContain(code);
});
