import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { clearLanes, lanesOf } from '../../src/storage/tables/lanes.ts';
import { seedIn } from '../account/account.ts';
import { DELETE_DEVICES } from '../guard/guarded.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { Visitor } from '../support/visitor.ts';

const TOTP = 'm.login.2fa.totp';
const RECOVERY = 'm.login.2fa.recovery';
const PASSWORD = 'correct horse';
const PAGE = '/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F';
const TOTP_API = '/_matrix/client/v3/account/two-factor/totp';

let app: TestApp;
let bob: Enrolled;
let bobsToken: string;

async function start(config = ''): Promise<void> {
  const users = ['bob', 'dora'].map((name) => ({ name, password: PASSWORD }));
  app = await startApp({ users, config });
  bob = await app.enrol('bob');
  bobsToken = app.stub.signIn('bob', 'BOBSPHONE').token;
  app.stub.signIn('bob', 'OLDPHONE');
}

async function restartWith(config: string): Promise<void> {
  await app.stop();
  await start(config);
}

beforeEach(() => start());
afterEach(() => app.stop());

const signIn = (password = PASSWORD) => app.post(LOGIN, passwordLogin('bob', password));
const atLogin = (session: unknown, type: string, token: unknown) =>
  app.post(LOGIN, { auth: { type, session, token } as JsonObject });
const guarded = (auth: JsonObject) =>
  app.post(DELETE_DEVICES.target, { ...DELETE_DEVICES.body, auth }, bobsToken);
const ownPassword = (password: string, more: JsonObject = {}): JsonObject => {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user: bob.userId }, password, ...more };
};

/** The sign-in page, the password given. */
async function codePage(): Promise<Visitor> {
  const visitor = new Visitor(app.url);
  await visitor.open(PAGE);
  await visitor.send({ user: 'bob', password: PASSWORD });
  return visitor;
}

async function fallbackPage(stage = TOTP): Promise<{ visitor: Visitor; session: string }> {
  const { json } = await app.post(DELETE_DEVICES.target, DELETE_DEVICES.body, bobsToken);
  const session = String(json.session);
  const visitor = new Visitor(app.url);
  await visitor.open(`/_matrix/client/v3/auth/${stage}/fallback/web?session=${session}`);
  return { visitor, session };
}

/** A set-up of dora's that waits for its first code. */
async function setUp(): Promise<{ seed: string; confirm: (token: unknown) => Promise<HttpAnswer> }> {
  const { token } = app.stub.signIn('dora', 'DORASPHONE');
  const auth = { type: 'm.login.password', user: '@dora:localhost', password: PASSWORD };
  const { json } = await app.post(TOTP_API, { auth }, token);
  const about = { setup_id: String(json.setup_id) };
  return {
    seed: String(json.seed),
    confirm: (code) => app.post(`${TOTP_API}/confirm`, { ...about, token: code } as JsonObject, token),
  };
}

function expectNothingWrong({ json, text }: HttpAnswer): void {
  expect(json).not.toHaveProperty('errcode');
  expect(text).not.toMatch(/not right|used already/);
}

async function expectNothingCounted(): Promise<void> {
  expect(await app.storage.read(lanesOf(bob.userId))).toEqual([]);
}

const BLANK = [undefined, null, '', '   ', '\u00a0\u202f', '-', ' - ', '\u2013'];

describe('attack 173: a blank code is missing: not counted, not "wrong", and the session lives', () => {
  test.each([TOTP, RECOVERY])('at login, as %s', async (stage) => {
    const { json } = await signIn();
    for (const token of [...BLANK, ...BLANK]) {
      const answer = await atLogin(json.session, stage, token);
      expect([answer.status, answer.json.session]).toEqual([401, json.session]);
      expectNothingWrong(answer);
      const oneShot = { ...passwordLogin('bob', PASSWORD), auth: { type: stage, token } as JsonObject };
      expectNothingWrong(await app.post(LOGIN, oneShot));
    }
    await expectNothingCounted();
    expect((await atLogin(json.session, TOTP, app.code(bob))).status).toBe(200);
  });

  test.each([TOTP, RECOVERY])('on guarded endpoints, as %s', async (stage) => {
    const { json } = await app.post(DELETE_DEVICES.target, DELETE_DEVICES.body, bobsToken);
    const session = String(json.session);
    for (const token of [...BLANK, ...BLANK]) {
      const answer = await guarded({ type: stage, session, token } as JsonObject);
      expect([answer.status, answer.json.session, answer.json.completed]).toEqual([401, session, []]);
      expectNothingWrong(answer);
    }
    await expectNothingCounted();
    const half = await guarded({ type: TOTP, session, token: app.code(bob) });
    expect(half.json.completed).toEqual([TOTP]);
  });

  test.each(['', ' ', '   ', ' -', ' \u00a0'])('behind the password: %j', async (tail) => {
    expect((await signIn(PASSWORD + tail)).json.errcode).toBe('M_FORBIDDEN');
    const answer = await guarded(ownPassword(PASSWORD + tail));
    expect(answer.json.error).toMatch(/Two-factor authentication is on/);
    await expectNothingCounted();
    expect(app.stub.requestsBesideLookups().filter(({ target }) => target.includes('device'))).toEqual([]);
  });

  test('when a set-up is confirmed', async () => {
    const { seed, confirm } = await setUp();
    for (const token of ['', '  ', '-', '\u00a0', '', ' ', '\u202f']) {
      const answer = await confirm(token);
      expect([answer.status, answer.json.errcode]).toEqual([400, 'M_MISSING_PARAM']);
    }
    expect((await confirm(codeOf(seed))).status).toBe(200);
  });

  test.each(['code', 'recovery_code'])('in the field %s of the sign-in page', async (field) => {
    const visitor = await codePage();
    for (const typed of ['', '  ', '-', '\u00a0', '', ' - ']) {
      const page = await visitor.send({ [field]: typed });
      expect([page.status, page.text.includes('Enter a code.')]).toEqual([200, true]);
      expectNothingWrong(page);
    }
    await expectNothingCounted();
    expect((await visitor.send({ code: app.code(bob) })).text).toContain('Continue to ');
  });

  test.each(['code', 'recovery_code'])('in the field %s of a fallback page', async (field) => {
    const { visitor } = await fallbackPage();
    for (const typed of ['', '  ', '-', '\u00a0', '', ' - ']) {
      const page = await visitor.send({ [field]: typed });
      expect([page.status, page.text.includes('Enter a code.')]).toEqual([200, true]);
      expectNothingWrong(page);
    }
    await expectNothingCounted();
    expect((await visitor.send({ code: app.code(bob) })).text).toContain('Approved');
  });
});

const GROUPED = [' ', '\u00a0', '\u202f'].map(
  (blank) =>
    [
      `U+${blank.charCodeAt(0).toString(16)}`,
      (code: string) => `${code.slice(0, 3)}${blank}${code.slice(3)}`,
    ] as const,
);
const TORN = [
  (code: string) => `${code.slice(0, 3)}.${code.slice(3)}`,
  (code: string) => `${code.slice(0, 3)}\u200b${code.slice(3)}`,
];

describe('attack 174: a code in two groups', () => {
  describe.each(GROUPED)('with %s between them', (_, grouped) => {
    test('is taken as a token at login and on guarded endpoints', async () => {
      const { json } = await signIn();
      expect((await atLogin(json.session, TOTP, grouped(app.code(bob)))).status).toBe(200);
      app.clock.advance(30_000);
      const half = await guarded({ type: TOTP, token: grouped(app.code(bob)) });
      expect(half.json.completed).toEqual([TOTP]);
    });

    test('is taken behind the password, with a blank before it or without', async () => {
      for (const between of ['', ' ', '\u00a0']) {
        expect((await signIn(PASSWORD + between + grouped(app.code(bob)))).status).toBe(200);
        app.clock.advance(30_000);
        const done = await guarded(ownPassword(PASSWORD + between + grouped(app.code(bob))));
        expect(done.status).toBe(200);
        app.clock.advance(30_000);
      }
    });

    test('is taken on the pages and where a set-up is confirmed', async () => {
      const visitor = await codePage();
      const next = await visitor.send({ code: grouped(app.code(bob)) });
      expect(next.text).toContain('Continue to ');
      app.clock.advance(30_000);
      const fallback = await fallbackPage();
      expect((await fallback.visitor.send({ code: grouped(app.code(bob)) })).text).toContain('Approved');
      const { seed, confirm } = await setUp();
      expect((await confirm(grouped(codeOf(seed)))).status).toBe(200);
    });
  });

  test('with anything else between them is malformed, and counted', async () => {
    for (const torn of TORN) {
      const { json } = await signIn();
      const answer = await atLogin(json.session, TOTP, torn(app.code(bob)));
      expect([answer.status, answer.json.errcode]).toEqual([401, 'M_FORBIDDEN']);
      expect((await signIn(PASSWORD + torn(app.code(bob)))).status).toBe(403);
      const refused = await (await codePage()).send({ code: torn(app.code(bob)) });
      expect(refused.text).toContain('That code is incorrect or was already used.');
    }
    const [counted] = await app.storage.read(lanesOf(bob.userId));
    expect(counted?.failures).toBeGreaterThanOrEqual(TORN.length);
  });
});

describe('attack 178: a spent code', () => {
  const told = ({ status, json: { session: _, ...rest } }: HttpAnswer) => ({ status, rest });

  test.each([TOTP, RECOVERY])('of %s is told like a wrong one, and that a code works once', async (stage) => {
    const [spent = ''] = stage === TOTP ? [app.code(bob)] : bob.recoveryCodes;
    const wrong = stage === TOTP ? app.wrongCode(bob) : '0000-0000-0000';
    const first = await signIn();
    expect((await atLogin(first.json.session, stage, spent)).status).toBe(200);
    const doors: ((code: string) => Promise<HttpAnswer>)[] = [
      async (code) => atLogin((await signIn()).json.session, stage, code),
      (code) => signIn(`${PASSWORD} ${code}`),
      (code) => guarded({ type: stage, token: code }),
      (code) => guarded(ownPassword(`${PASSWORD} ${code}`)),
    ];
    for (const door of doors) {
      const [ofSpent, ofWrong] = [await door(spent), await door(wrong)];
      expect(told(ofSpent)).toEqual(told(ofWrong));
      expect(ofSpent.json.error).toMatch(/each code works once/);
      // Four failures are free; the answers are to be those of codes that were looked at.
      await app.storage.commit([bob.userId], clearLanes(bob.userId));
    }
    const field = stage === TOTP ? 'code' : 'recovery_code';
    for (const code of [spent, wrong]) {
      const page = await (await codePage()).send({ [field]: code });
      expect(page.text).toContain('is incorrect or was already used.');
    }
  });
});

describe('attack 179: login.appended_code is off', () => {
  const BEHIND = /(after|behind) (the|your) password|nach dem Passwort/i;

  /** Of our texts, how many tell people to. */
  async function textsThatTell(): Promise<number> {
    const headers = { 'accept-language': 'de' };
    const pages = await Promise.all([
      app.call({ target: '/_2fa/account' }),
      app.call({ target: '/_2fa/account', headers }),
      app.call({ target: PAGE }),
      app.call({ target: PAGE, headers }),
    ]);
    const { visitor } = await fallbackPage();
    const answers = [
      await signIn(),
      await guarded(ownPassword(PASSWORD)),
      await guarded(ownPassword(`${PASSWORD} 1`)),
    ];
    const texts = [...pages, ...answers, (await codePage()).last, visitor.last].map((one) => one?.text ?? '');
    expect(texts.every((text) => text !== '')).toBe(true);
    return texts.filter((text) => BEHIND.test(text)).length;
  }

  test('with it on the texts tell people to', async () => {
    expect(await textsThatTell()).toBe(5);
  });

  test.each([
    ['the sign-in page', '', /single sign-on \(SSO\)/],
    ['a client that knows the stages', ', sso: false', /a client that asks for the code/],
  ])('no text tells people to type it behind the password, but to use %s', async (_, sso, way) => {
    await restartWith(`login: { appended_code: false${sso} }`);
    const answers = [await signIn(), await guarded(ownPassword(PASSWORD))];
    for (const { status, json } of answers) {
      expect([status, json.errcode]).toEqual([401, 'M_FORBIDDEN']);
      expect(json.error).toMatch(way);
      expect(json.error).not.toMatch(BEHIND);
    }
    if (sso === '') expect(await textsThatTell()).toBe(0);
  });
});

function codeOf(seed: string): string {
  return codeAt(seedIn(seed), app.clock.now());
}
