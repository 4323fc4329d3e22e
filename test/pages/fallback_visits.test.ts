import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { formsOf, Visitor } from '../support/visitor.ts';

const V3 = '/_matrix/client/v3';
const DAY = 24 * 60 * 60_000;
const ADDRESS = /^\?session=m2fa_[\w-]{27}&v=[\w-]{22}$/;

let app: TestApp;
let bob: Enrolled;
let token: string;
let visitor: Visitor;

beforeAll(async () => {
  app = await startApp({ users: [{ name: 'bob', password: 'bob password' }] });
  token = app.stub.signIn('bob', 'MINE').token;
});

afterAll(() => app.stop());

/** Factors and sessions of before are gone, and so are waits. */
beforeEach(async () => {
  await app.storage.factors.removeAllFactors('@bob:localhost');
  bob = await app.enrol('bob');
  app.clock.advance(DAY);
  visitor = new Visitor(app.url);
  app.stub.clear();
});

/** The page of a new request that is guarded. */
async function pageOf({ stage = 'm.login.sso', prefix = 'v3', device = 'A' } = {}): Promise<string> {
  const { json } = await app.post(`${V3}/delete_devices`, { devices: [device] }, token);
  return `/_matrix/client/${prefix}/auth/${stage}/fallback/web?session=${json.session}`;
}

async function open(wanted?: Parameters<typeof pageOf>[0]): Promise<string> {
  const page = await pageOf(wanted);
  await visitor.open(page);
  return page;
}

interface Shown {
  readonly fields: Readonly<Record<string, string>>;
  readonly target: string;
}

/** The first form of the last page at `page`, and where it goes. */
function formOn(page: string, { last } = visitor): Shown {
  const [first] = formsOf(last?.text ?? '');
  const { pathname, search } = new URL(first?.action ?? '', new URL(page, app.url));
  return { fields: { ...first?.fields }, target: pathname + search };
}

const post = ({ fields, target }: Shown, typed: Readonly<Record<string, string>>, by = visitor) =>
  by.post({ ...fields, ...typed }, {}, target);

async function refusedCodes(): Promise<number> {
  const entries = await app.storage.audit.list({ userId: bob.userId });
  return entries.filter(({ event }) => event === 'factor.refused').length;
}

async function counted(act: () => Promise<unknown>): Promise<number> {
  const before = await refusedCodes();
  await act();
  return (await refusedCodes()) - before;
}

async function visits(): Promise<number> {
  const [row] = await app.storage.read(
    ask<{ n: number }>('SELECT count(*) AS n FROM visits WHERE expires_at > :now'),
  );
  return Number(row?.n);
}

const session = (page: string) => new URL(page, app.url).searchParams.get('session') ?? '';

async function completed(page: string): Promise<unknown> {
  const { json } = await app.post(`${V3}/delete_devices`, { auth: { session: session(page) } }, token);
  return json.completed;
}

describe('each form', () => {
  test.each(['r0', 'v3'])(
    'is answered with a redirect to the page under %s that shows what came of it',
    async (prefix) => {
      const page = await open({ prefix });
      const before = await visits();
      const led: unknown[] = [];
      for (const typed of [
        { code: app.wrongCode(bob) },
        { code: app.code(bob) },
        { password: 'wrong' },
        { password: 'bob password' },
      ]) {
        const shown = await visitor.send(typed);
        led.push(visitor.sent?.headers.location);
        expect([visitor.sent?.status, visitor.sent?.text, shown.status]).toEqual([303, '', 200]);
      }
      expect(new Set(led).size).toBe(1);
      expect(led[0]).toMatch(ADDRESS);
      expect(visitor.last?.text).toContain('auth_done.js');
      expect(await visits()).toBe(before + 1);
      const again = await visitor.open(
        new URL(String(led[0]), new URL(page, app.url)).href.slice(app.url.length),
      );
      expect(again.text).toContain('auth_done.js');
    },
  );

  test('attack 242: is judged once, sent ten times at once, again later, or with the page loaded again', async () => {
    const page = await open();
    const first = formOn(page);
    const ofFirst = async () => {
      const typed = { ...first.fields, code: app.wrongCode(bob) };
      await Promise.all(Array.from({ length: 10 }, () => visitor.postOnly(typed, {}, first.target)));
      for (let time = 0; time < 3; time += 1) await visitor.post(typed, {}, first.target);
      for (let time = 0; time < 3; time += 1) await visitor.open(first.target);
    };
    expect(await counted(ofFirst)).toBe(1);
    expect(visitor.last?.text).toContain('That code is incorrect or was already used.');
    expect(visitor.last?.text).toContain('<title>Error: Verify');

    await visitor.send({ code: app.code(bob) });
    app.stub.clear();
    const ofPassword = formOn(page);
    for (let time = 0; time < 3; time += 1) await post(ofPassword, { password: 'wrong' });
    const judged = app.stub.requestsTo('delete_devices').filter(({ json }) => json?.auth !== undefined);
    expect(judged).toHaveLength(1);
    expect(visitor.last?.text).toContain('Incorrect password.');
  });

  test('attack 242: of an older page, after Back, spends no code; the page says where it stands', async () => {
    const page = await open();
    const old = formOn(page);
    await visitor.send({ code: app.wrongCode(bob) });
    const code = app.code(bob);
    expect(await counted(() => post(old, { code }))).toBe(0);
    expect(visitor.last?.text).toContain('That code is incorrect');
    expect(await completed(page)).toEqual([]);
    expect((await visitor.send({ code })).text).toContain('@bob:localhost');
    await visitor.send({ password: 'bob password' });
    for (const typed of [{ code }, { password: 'wrong' }]) {
      expect((await post(old, typed)).text).toContain('Approved');
    }
    expect((await app.post(`${V3}/delete_devices`, { auth: { session: session(page) } }, token)).status).toBe(
      200,
    );
    const late = await post(old, { code });
    expect([late.status, late.text.includes('This request is no longer open')]).toEqual([410, true]);
  });

  test('of before a turn was named is not judged: the page is shown', async () => {
    const page = await open();
    const { fields } = formOn(page);
    const { turn: _, ...older } = fields;
    const shown = await visitor.post({ ...older, code: app.code(bob) }, {}, page);
    expect([shown.status, shown.text.includes('one-time-code')]).toEqual([200, true]);
    expect(visitor.led).toBe(`?session=${session(page)}`);
    expect(await completed(page)).toEqual([]);
  });
});

describe('what stands in a visit', () => {
  test('two tabs: each tells what it was sent, and both go on where the session stands', async () => {
    const page = await open();
    const one = formOn(page);
    await visitor.open(page);
    const two = formOn(page);
    expect(one.target).not.toBe(two.target);
    await post(one, { code: app.wrongCode(bob) });
    expect((await visitor.open(page)).text).not.toContain('That code is incorrect');
    expect((await post(two, { code: app.code(bob) })).text).toContain('@bob:localhost');
    const first = await visitor.open(one.target);
    expect(first.text).toContain('@bob:localhost');
    expect(first.text).not.toContain('role="alert"');
    // Its form for a code comes too late to be judged; that for the password ends it for both.
    await visitor.open(page);
    const three = formOn(page);
    expect(await counted(() => post(three, { code: app.wrongCode(bob) }))).toBe(0);
    expect((await visitor.send({ password: 'bob password' })).text).toContain('Approved');
    for (const { target } of [one, two, three])
      expect((await visitor.open(target)).text).toContain('Approved');
  });

  test('attack 243: is worth nothing in another browser, at another session or page, or guessed', async () => {
    const page = await open();
    await visitor.send({ code: app.wrongCode(bob) });
    const { fields, target } = formOn(page);
    const v = new URL(target, app.url).searchParams.get('v') ?? '';
    const other = new Visitor(app.url);
    await other.open(page);
    const [own] = formsOf(other.last?.text ?? '');
    const mine = await pageOf({ device: 'B' });
    const cases: [Visitor, string][] = [
      [other, target],
      [other, `${page}&v=${'A'.repeat(22)}`],
      [other, `${page}&v=x`],
      [visitor, `${mine}&v=${v}`],
      [visitor, `/_2fa/login?v=${v}`],
    ];
    for (const [browser, address] of cases) {
      const shown = await browser.open(address);
      expect([address, shown.status, shown.text.includes('This page is no longer valid')]).toEqual([
        address,
        410,
        true,
      ]);
      const form_token = browser === other ? (own?.fields.form_token ?? '') : (fields.form_token ?? '');
      const sent = await browser.post({ ...fields, form_token, code: app.code(bob) }, {}, address);
      expect(sent.status).toBe(410);
    }
    expect(await completed(page)).toEqual([]);
    expect(await completed(mine)).toEqual([]);
    // The address that the client opened is good in any browser.
    expect((await other.open(page)).status).toBe(200);
  });

  test('attack 244: may go, and the code that comes late for it is not judged', async () => {
    const page = await open();
    await visitor.send({ code: app.wrongCode(bob) });
    const old = formOn(page);
    for (let time = 0; time < 20; time += 1) {
      app.clock.advance(1);
      await visitor.open(page);
      await visitor.send({ code: '' });
    }
    const late = await post(old, { code: app.code(bob) });
    expect([late.status, late.text.includes('Go back to your app and start again there.')]).toEqual([
      410,
      true,
    ]);
    expect(await completed(page)).toEqual([]);
  });

  test('opening a page, its head, or an address with a code changes nothing', async () => {
    const page = await open();
    const before = await visits();
    for (const address of [page, `${page}&code=${app.code(bob)}`, `${page}&turn=0&password=x`]) {
      await visitor.open(address);
      await app.call({ method: 'HEAD', target: address });
    }
    expect(await visits()).toBe(before);
    expect(await completed(page)).toEqual([]);
    expect(app.stub.requestsBesideLookups()).toEqual([]);
  });

  test('without the cookie of its form, no form is taken, and none that came from elsewhere', async () => {
    const page = await open();
    const shown = formOn(page);
    const before = await visits();
    visitor.cookies.clear();
    const bare = await post(shown, { code: app.code(bob) });
    expect([bare.status, bare.text.includes('This form could not be accepted')]).toEqual([403, true]);
    await visitor.open(page);
    const foreign = await visitor.send({ code: app.code(bob) }, { origin: 'https://evil.example' });
    expect([foreign.status, await visits(), await completed(page)]).toEqual([403, before, []]);
    // Nobody opens visits for sessions that are not there.
    await visitor.open(page);
    const nobodys = `${page.slice(0, -27)}${'x'.repeat(27)}`;
    const unknown = await post({ ...formOn(page), target: `${nobodys}&v=${'A'.repeat(22)}` }, { code: '1' });
    expect([unknown.status, await visits()]).toEqual([410, before]);
  });
});

describe('what is told', () => {
  test('attack 151: the device that asked, by its name; by its id where it has none or the homeserver does not say', async () => {
    const user = app.stub.user('bob');
    const device = user.devices.get('MINE');
    const page = await pageOf();
    const asked = async () => /<bdi>([^<]*)<\/bdi>/.exec((await visitor.open(page)).text)?.[1];
    const names: [string | null, string][] = [
      ['Bob’s <phone>', 'Bob’s &lt;phone&gt;'],
      [`  ${'x'.repeat(300)}`, 'x'.repeat(100)],
      ['   ', 'MINE'],
      [null, 'MINE'],
    ];
    for (const [name, shown] of names) {
      if (device !== undefined) device.displayName = name;
      expect(await asked()).toBe(shown);
    }
    app.stub.failNext(/GET .*\/devices\//, { status: 502, body: {} });
    if (device !== undefined) device.displayName = 'Phone';
    expect([await asked(), await asked()]).toEqual(['MINE', 'Phone']);
  });

  test.each([
    ['m.login.sso', 'recovery_code'],
    ['m.login.2fa.totp', 'code'],
  ])(
    'after a recovery code at %s, at the end, how many are left; in another tab, and after a code of the app, nothing',
    async (stage, field) => {
      const page = await open({ stage });
      const isWhole = stage === 'm.login.sso';
      const { target } = formOn(page);
      await visitor.send({ [field]: bob.recoveryCodes[0] ?? '' });
      const done = isWhole ? await visitor.send({ password: 'bob password' }) : visitor.last;
      expect(done?.text).toContain('You used a recovery code. 2 are left.');
      expect(done?.text).toContain('data-to-read');
      expect((await visitor.open(target)).text).toContain('2 are left');
      const elsewhere = await visitor.open(page);
      expect(elsewhere.text).toContain('Approved');
      expect(elsewhere.text).not.toContain('You used');
      await open({ stage, device: 'B' });
      await visitor.send({ code: app.code(bob) });
      const plain = isWhole ? await visitor.send({ password: 'bob password' }) : visitor.last;
      expect([plain?.text.includes('Approved'), plain?.text.includes('You used')]).toEqual([true, false]);
    },
  );

  test('what is missing, at its field, and nothing is judged', async () => {
    await open();
    expect(await counted(() => visitor.send({ code: ' ' }))).toBe(0);
    expect(visitor.last?.text).toContain('Enter a code.');
    await visitor.send({ code: app.code(bob) });
    const empty = await visitor.send({ password: '' });
    expect(empty.text).toContain('Enter your password.');
    expect(empty.text).toContain('aria-describedby="password-problem"');
    expect(app.stub.requestsBesideLookups()).toEqual([]);
  });

  test('a wait, above the form, for as long as it lasts; when it is over, the code is taken', async () => {
    await open();
    for (let time = 0; time < 5; time += 1) await visitor.send({ code: app.wrongCode(bob) });
    const ended = visitor.last;
    expect([ended?.status, ended?.headers['retry-after']]).toEqual([429, '30']);
    expect(ended?.text).toContain('Too many incorrect codes');
    expect(ended?.text).toContain('Wait 30 seconds, then start again in your app.');
    const page = await open();
    const waiting = await visitor.send({ code: app.code(bob) });
    expect([waiting.status, waiting.headers['retry-after']]).toEqual([200, '30']);
    expect(waiting.text).toContain('Your code was not checked. Wait 30 seconds, then try again.');
    expect(waiting.text).not.toContain('aria-invalid');
    app.clock.advance(10_000);
    const later = await visitor.open(formOn(page).target);
    expect([later.headers['retry-after'], later.text.includes('Wait 20 seconds')]).toEqual(['20', true]);
    app.clock.advance(30_000);
    expect((await visitor.send({ code: app.code(bob) })).text).toContain('@bob:localhost');
  });

  test('five wrong passwords: the browser that typed them is told so, each other that the request is not open', async () => {
    const address = await open();
    await visitor.send({ code: app.code(bob) });
    for (let time = 0; time < 5; time += 1) await visitor.send({ password: 'wrong' });
    const ended = visitor.last;
    expect([ended?.status, ended?.headers['retry-after']]).toEqual([429, undefined]);
    expect(ended?.text).toContain('Too many incorrect passwords or codes');
    const other = await new Visitor(app.url).open(address);
    expect([other.status, other.text.includes('no longer open')]).toEqual([410, true]);
  });

  test.each([
    ['a locked account', { status: 401, body: { errcode: 'M_USER_LOCKED' } }, 'locked or deactivated'],
    [
      'a deactivated account',
      { status: 403, body: { errcode: 'M_USER_DEACTIVATED' } },
      'locked or deactivated',
    ],
    [
      'a session of OAuth',
      { status: 403, body: { errcode: 'M_FORBIDDEN' } },
      'signed in without your password',
    ],
  ])(
    '%s: a page of its own cause, not one of the form, and a reload judges nothing',
    async (_, answer, says) => {
      const opened = await open();
      await visitor.send({ code: app.code(bob) });
      app.stub.failNext(/POST .*\/delete_devices/, answer);
      const page = await visitor.send({ password: 'bob password' });
      expect([page.status, page.text.includes(says)]).toEqual([403, true]);
      expect(page.text).not.toContain('form could not be accepted');
      const before = app.stub.requestsBesideLookups().length;
      const { pathname, search } = new URL(visitor.led ?? '', new URL(opened, app.url));
      const again = await visitor.open(pathname + search);
      expect([again.status, again.text.includes(says)]).toEqual([403, true]);
      expect(app.stub.requestsBesideLookups()).toHaveLength(before);
    },
  );

  test('the homeserver is away, or limits: nothing is called wrong, and the form stays', async () => {
    await open();
    await visitor.send({ code: app.code(bob) });
    const answers: [number, object, string][] = [
      [502, {}, 'Your code and password were not refused.'],
      [429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 7000 }, 'Wait 7 seconds'],
    ];
    for (const [status, body, text] of answers) {
      app.stub.failNext(/POST .*\/delete_devices/, { status, body: { ...body } });
      const page = await visitor.send({ password: 'bob password' });
      expect([page.status, page.text.includes(text)]).toEqual([200, true]);
      expect(page.text).not.toContain('Incorrect');
    }
    expect((await visitor.send({ password: 'bob password' })).text).toContain('Approved');
  });
});
