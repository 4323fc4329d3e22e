import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { formsOf, Visitor } from '../support/visitor.ts';

const CLIENT = 'https://app.example.net/';
const PAGE = `/_2fa/login?redirectUrl=${encodeURIComponent(CLIENT)}`;
const VISIT = /^\/_2fa\/login\?v=[\w-]{22}$/;

let app: TestApp;
let bob: Enrolled;
let visitor: Visitor;

beforeAll(async () => {
  app = await startApp({
    users: [
      { name: 'alice', password: 'alice password' },
      { name: 'bob', password: 'bob password' },
    ],
  });
});

afterAll(() => app.stop());

/** Factors and held logins of before are gone, and so are waits. */
beforeEach(async () => {
  await app.storage.factors.removeAllFactors('@alice:localhost');
  await app.storage.factors.removeAllFactors('@bob:localhost');
  bob = await app.enrol('bob');
  app.clock.advance(24 * 60 * 60_000);
  visitor = new Visitor(app.url);
});

async function password(name = 'bob', typed = `${name} password`) {
  await visitor.open(PAGE);
  return visitor.send({ user: name, password: typed });
}

/** The first form of the last page, and where it goes. */
function form() {
  const [first] = formsOf(visitor.last?.text ?? '');
  return { fields: { ...first?.fields }, action: first?.action ?? '' };
}

const address = () => visitor.sent?.headers.location ?? '';

async function refusedCodes(): Promise<number> {
  const entries = await app.storage.audit.list({ userId: bob.userId });
  return entries.filter(({ event }) => event === 'factor.refused').length;
}

const counted = async (act: () => Promise<unknown>) => {
  const before = await refusedCodes();
  await act();
  return (await refusedCodes()) - before;
};

test('each form is answered with a redirect to its visit, and the last one to the client', async () => {
  const wrong = await password('bob', 'wrong');
  expect([visitor.sent?.status, wrong.status]).toEqual([303, 200]);
  expect(address()).toMatch(VISIT);
  const first = address();
  await visitor.send({ user: 'bob', password: 'bob password' });
  expect(address()).toBe(first);
  await visitor.send({ code: app.code(bob) });
  expect(address()).toBe(first);
  await visitor.send({ decision: 'allow' });
  expect(visitor.sent?.status).toBe(303);
  expect(address()).toMatch(/^https:\/\/app\.example\.net\/\?loginToken=/);
  const back = await visitor.open(first);
  expect([back.status, back.text.includes('You already signed in')]).toEqual([410, true]);
  expect(back.text).toContain(`href="${PAGE}"`);
});

test('attack 242: a form that is sent again, or 10 times at once, is judged once', async () => {
  await password();
  const { fields, action } = form();
  const sent = { ...fields, code: app.wrongCode(bob) };
  const all = async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => visitor.postOnly(sent, {}, action)));
    expect(new Set(answers.map(({ headers }) => headers.location))).toEqual(new Set([action]));
    for (let time = 0; time < 3; time++) await visitor.post(sent, {}, action);
    for (let time = 0; time < 3; time++) await visitor.open(action);
  };
  expect(await counted(all)).toBe(1);
  expect(visitor.last?.text).toContain('That code is incorrect or was already used.');
});

test('attack 242: the first form sent ten times at once asks the homeserver once', async () => {
  await visitor.open(PAGE);
  const { fields, action } = form();
  app.stub.clear();
  const sent = { ...fields, user: 'alice', password: 'wrong' };
  await Promise.all(Array.from({ length: 10 }, () => visitor.postOnly(sent, {}, action)));
  expect(app.stub.requestsTo('login')).toHaveLength(1);
});

test('attack 242: however old and new forms come in between, each code is judged at most once', async () => {
  const plays = fc.array(fc.record({ form: fc.nat(3), together: fc.boolean() }), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(plays, async (play) => {
      app.clock.advance(24 * 60 * 60_000);
      visitor = new Visitor(app.url);
      await password();
      const shown = [form()];
      const judged = await counted(async () => {
        let waiting: Promise<unknown>[] = [];
        for (const { form: wanted, together } of play) {
          const { fields, action } = shown[Math.min(wanted, shown.length - 1)] ?? form();
          const sent = visitor.postOnly({ ...fields, code: app.wrongCode(bob) }, {}, action);
          waiting.push(sent);
          if (together) continue;
          await Promise.all(waiting);
          waiting = [];
          const page = await visitor.open(action);
          if (page.text.includes('name="code"')) shown.push(form());
        }
        await Promise.all(waiting);
      });
      const turns = new Set(shown.map(({ fields }) => fields.turn));
      expect(judged).toBeGreaterThan(0);
      expect(judged).toBeLessThanOrEqual(turns.size);
    }),
    { numRuns: 8 },
  );
});

test('attack 243: the address of a visit is worth nothing in another browser, guessed, or late', async () => {
  await password();
  const { fields, action } = form();
  const other = new Visitor(app.url);
  await other.open(PAGE);
  const [own] = formsOf(other.last?.text ?? '');
  for (const target of [action, `${action.slice(0, -22)}${'A'.repeat(22)}`, '/_2fa/login?v=x']) {
    const page = await other.open(target);
    expect([page.status, page.text.includes('This page is no longer valid')]).toEqual([410, true]);
    expect(page.text).not.toContain('bob');
    const sent = { ...fields, form_token: own?.fields.form_token ?? '', code: app.code(bob) };
    expect((await other.post(sent, {}, target)).status).toBe(410);
  }
  app.clock.advance(30 * 60_000);
  const over = await visitor.open(action);
  expect([over.status, over.text.includes('This sign-in has expired')]).toEqual([410, true]);
  app.clock.advance(60 * 60_000);
  expect((await visitor.open(action)).text).toContain('This page is no longer valid');
});

test('what is missing is told at its field, and nothing is judged', async () => {
  app.stub.clear();
  expect((await password('', 'x')).text).toContain('Enter your username.');
  expect((await password('bob', '')).text).toContain('Enter your password.');
  expect(visitor.last?.text).toContain('value="bob"');
  expect(app.stub.requestsTo('login')).toEqual([]);
  await password();
  expect(await counted(() => visitor.send({ code: ' ' }))).toBe(0);
  expect(visitor.last?.text).toContain('Enter a code.');
});

test('a code behind the password: right, no code is asked for; wrong, it is asked for, counted once', async () => {
  const right = await password('bob', `bob password${app.code(bob)}`);
  expect(right.text).toContain('Continue to app.example.net?');
  const wrong = await counted(() => password('bob', `bob password ${app.wrongCode(bob)}`));
  expect(wrong).toBe(1);
  expect(visitor.last?.text).toContain('That code is incorrect or was already used.');
  app.clock.advance(30_000);
  expect((await visitor.send({ code: app.code(bob) })).text).toContain('Continue to app.example.net?');
  const stranger = await password('alice', 'alice password123456');
  expect(stranger.text).toContain('Incorrect username or password.');
});

test('denied, the held login ends, and the client gets nothing', async () => {
  const confirmation = await password('alice');
  expect(confirmation.text).toMatch(/value="allow".*value="deny"/s);
  expect(confirmation.text).toContain('Your password is the only protection of this account.');
  expect(app.stub.liveTokens('alice')).toHaveLength(1);
  const page = await visitor.send({ decision: 'deny' });
  expect([page.status, page.text.includes('Sign-in cancelled')]).toEqual([200, true]);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('alice')).toEqual([]);
});

test('five wrong codes end the sign-in: 429, with the wait, and where it began', async () => {
  await password();
  for (let turn = 0; turn < 5; turn++) await visitor.send({ code: app.wrongCode(bob) });
  const { status, text, headers } = visitor.last ?? { status: 0, text: '', headers: {} };
  expect([status, text.includes('This sign-in was ended to protect your account.')]).toEqual([429, true]);
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(text).toContain(`href="${PAGE}"`);
});

test('factors that change meanwhile: 403, and where it began', async () => {
  await password('alice');
  await app.enrol('alice');
  const page = await visitor.send({ decision: 'allow' });
  expect([page.status, page.text.includes('Your account has changed')]).toEqual([403, true]);
});

test('the homeserver is away: the form stays, and nothing is called wrong', async () => {
  app.stub.failNext(/POST .*\/login/, { status: 502, body: {} });
  const page = await password('alice');
  expect(page.status).toBe(200);
  expect(page.text).toContain('Your code and password were not refused.');
  expect(page.text).not.toContain('Incorrect');
  expect(page.text).toContain('value="alice"');
});

test.each([
  ['limits', { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 5000 } }],
  ['limits, and says no time', { status: 429, body: {} }],
  ['is away', { status: 502, body: {} }],
  ['answers nonsense', { status: 200, body: '<html>' }],
  ['answers with nothing in it', { status: 200, body: {} }],
])(
  'attack 353: the homeserver %s: no password is called wrong, and no field is marked',
  async (_, answer) => {
    app.stub.failNext(/POST .*\/login/, answer);
    const { status, text } = await password();
    expect([status, /Your (?:code and )?password (?:was not checked|were not refused)/.test(text)]).toEqual([
      200,
      true,
    ]);
    expect(text).not.toMatch(/Incorrect|aria-invalid/);
  },
);

test('attack 353: a code that is not looked at, for the wait of its lane, is not called wrong, and is good afterwards', async () => {
  await password();
  for (let turn = 0; turn < 5; turn++) await visitor.send({ code: app.wrongCode(bob) });
  await password();
  const { text } = await visitor.send({ code: app.code(bob) });
  expect(text).toContain('Your code was not checked.');
  expect(text).not.toMatch(/That code is incorrect|aria-invalid/);
  app.clock.advance(10 * 60_000);
  await password();
  expect((await visitor.send({ code: app.code(bob) })).text).toContain('Continue to app.example.net?');
});

test('a form from elsewhere, or one that cannot be read, is told at once, with the way to load the page again', async () => {
  await visitor.open(PAGE);
  const { action } = form();
  const foreign = await visitor.postOnly({ user: 'bob' }, { origin: 'https://evil.example' }, action);
  expect([foreign.status, foreign.text.includes('This form could not be accepted')]).toEqual([403, true]);
  const large = await visitor.postOnly({ user: 'x'.repeat(70_000) }, {}, action);
  expect([large.status, large.text.includes('The request could not be read')]).toEqual([413, true]);
  for (const { text } of [foreign, large]) expect(text).toContain('Load the page again');
});
