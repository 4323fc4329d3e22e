import { afterEach, describe, expect, test } from '@jest/globals';
import { type AppOptions, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { formsOf, type VisitedForm, Visitor } from '../support/visitor.ts';

const PAGE = '/_2fa/account';
const PASSWORD = 'correct horse';
const COOKIE = '__Secure-m2fa_page';

let app: TestApp;
let visitor: Visitor;

afterEach(() => app.stop());

async function begin(options: AppOptions = {}): Promise<Enrolled> {
  app = await startApp({
    users: [
      { name: 'bob', password: PASSWORD },
      { name: 'alice', password: PASSWORD },
    ],
    ...options,
  });
  visitor = new Visitor(app.url);
  return app.enrol('bob');
}

/** What the script would hear. */
const session = () =>
  app.call({
    method: 'POST',
    target: `${PAGE}/session`,
    json: {},
    headers: { Origin: 'https://matrix.example.org', Cookie: `${COOKIE}=${visitor.cookies.get(COOKIE)}` },
  });

function expectIn(location = PAGE): void {
  expect(visitor.led).toBe(location);
  expect(visitor.cookies.get(COOKIE)).toMatch(/^[\w-]{43}$/);
}

describe('signing in on the account page, without a script', () => {
  test('password and code lead to a page session; there is no confirmation, and no token for a client', async () => {
    const bob = await begin();
    const first = await visitor.open(`${PAGE}?action=org.matrix.session_end`);
    expect(first.text).toContain('Sign in to manage the security of your account.');
    const asked = await visitor.send({ user: 'bob', password: PASSWORD });
    expect(asked.text).toMatch(/ action="\/_2fa\/account\?v=[\w-]{22}"/);
    expect(visitor.cookies.has(COOKIE)).toBe(false);
    const wrong = await visitor.send({ code: app.wrongCode(bob) });
    expect(wrong.text).toContain('That code is incorrect');
    expect([wrong.status, visitor.cookies.has(COOKIE)]).toEqual([200, false]);
    await visitor.send({ code: app.code(bob) });
    expectIn(`${PAGE}?action=org.matrix.session_end`);
    const { status, json } = await session();
    expect([status, json.user_id, json.factor]).toEqual([200, '@bob:localhost', 'totp']);
    expect(app.stub.devicesOf('bob').map(({ displayName }) => displayName)).toEqual(['Account page']);
  });

  test('a user without 2FA comes in with the password, one with a recovery code without a stop', async () => {
    const bob = await begin();
    await visitor.open(PAGE);
    await visitor.send({ user: 'alice', password: PASSWORD });
    expectIn();
    expect((await session()).json).toMatchObject({ user_id: '@alice:localhost', factor: null });
    visitor = new Visitor(app.url);
    await visitor.open(PAGE);
    await visitor.send({ user: 'bob', password: PASSWORD });
    await visitor.send({ recovery_code: bob.recoveryCodes[0] ?? '' });
    expectIn();
    expect((await session()).json).toMatchObject({ factor: 'recovery', codes_left: 2 });
  });

  test('with a cookie the page asks for nothing, and lets a reader without script sign out', async () => {
    await begin();
    await visitor.open(PAGE);
    await visitor.send({ user: 'alice', password: PASSWORD });
    const page = await visitor.open(PAGE);
    expect(page.text).not.toContain('name="password"');
    expect(page.text).toContain('This page needs JavaScript.');
    await visitor.send({ why: '' });
    expect(visitor.led).toBe(`${PAGE}?signed_out`);
    expect((await session()).status).toBe(401);
    visitor.cookies.delete(COOKIE);
    expect((await visitor.open(`${PAGE}?signed_out`)).text).toContain('You are signed out.');
    expect((await visitor.open(`${PAGE}?signed_out=idle`)).text).toContain(
      'after 15 minutes without activity',
    );
  });

  test('it is there where the sign-in page is not offered to clients, and for itself alone', async () => {
    const bob = await begin({ config: 'login: { sso: false }' });
    const client = `/_2fa/login?redirectUrl=${encodeURIComponent('https://client.example.org/')}`;
    expect((await visitor.open(client)).status).toBe(404);
    await visitor.open(PAGE);
    await visitor.send({ user: 'bob', password: PASSWORD });
    await visitor.send({ code: app.code(bob) });
    expectIn();
  });

  test('attack 215: its forms come from no other site', async () => {
    await begin();
    await visitor.open(PAGE);
    const foreign = await visitor.send(
      { user: 'alice', password: PASSWORD },
      { Origin: 'https://evil.example.org' },
    );
    expect([foreign.status, visitor.cookies.has(COOKIE)]).toEqual([403, false]);
  });

  test('the confirmation of a client cannot be asked for in such a sign-in', async () => {
    const bob = await begin();
    await visitor.open(PAGE);
    const asked = await visitor.send({ user: 'bob', password: PASSWORD });
    const [{ fields }] = formsOf(asked.text) as [VisitedForm];
    const here = visitor.led ?? '';
    const elsewhere = here.replace(PAGE, '/_2fa/login');
    const early = await visitor.postOnly({ ...fields, decision: 'allow' }, {}, elsewhere);
    expect([early.status, early.headers.location]).toEqual([303, here]);
    await visitor.open(here);
    await visitor.send({ code: app.code(bob) });
    expectIn();
  });

  test('who owes a set-up makes it on the way', async () => {
    await begin({ config: 'policy: { default: required }' });
    await visitor.open(PAGE);
    const owed = await visitor.send({ user: 'alice', password: PASSWORD });
    expect(owed.status).toBe(200);
    expect(owed.text).toContain('requires two-factor authentication');
    expect(visitor.cookies.has(COOKIE)).toBe(false);
  });

  test('the providers of the homeserver lead there, too', async () => {
    await begin({ sso: { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'alice' } });
    const page = await visitor.open(PAGE);
    expect(page.text).toContain('Continue with University');
    const [, href = ''] = /href="([^"]*sso\/redirect\/oidc[^"]*)"/.exec(page.text) ?? [];
    const sent = await visitor.open(href.replaceAll('&amp;', '&'));
    const back = new URL(sent.headers.location ?? '');
    const returned = await fetch(back, { redirect: 'manual' });
    const { pathname, search } = new URL(returned.headers.get('location') ?? '');
    await visitor.open(pathname + search);
    expectIn();
    expect((await session()).json.user_id).toBe('@alice:localhost');
  });
});
