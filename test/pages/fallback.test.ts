import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import supertest from 'supertest';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { hashSessionId } from '../../src/uia/session.ts';
import { type AppOptions, LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { expectJudged } from '../support/judged.ts';
import { pageSession } from '../support/page_session.ts';
import { ANSWERED_BY_HAND } from '../support/stub/exchange.ts';
import { formsOf, Visitor } from '../support/visitor.ts';

const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const DONE_SCRIPT = 'auth_done.js';

let app: TestApp;
let bob: Enrolled;
let token: string;
let visitor: Visitor;

async function start(options: AppOptions = {}): Promise<void> {
  app = await startApp({
    users: [
      { name: 'alice', password: 'alice password' },
      { name: 'bob', password: 'bob password' },
    ],
    ...options,
  });
  bob = await app.enrol('bob');
  token = app.stub.signIn('bob', 'MINE').token;
  visitor = new Visitor(app.url);
}

beforeEach(() => start());

afterEach(() => app.stop());

function fallback(stage: string, session: string, prefix = 'v3'): string {
  return `/_matrix/client/${prefix}/auth/${stage}/fallback/web?session=${encodeURIComponent(session)}`;
}

function ask(path: string, body: JsonObject, accessToken = token): supertest.Test {
  return supertest(app.url).post(path).set('Authorization', `Bearer ${accessToken}`).send(body);
}

/** Begins a guarded request and answers its session. */
async function begin(path: string, body: JsonObject, accessToken = token): Promise<string> {
  const challenge = expectJudged(await ask(path, body, accessToken));
  expect(challenge.status).toBe(401);
  return challenge.body.session;
}

/** A request without the second factor brings nothing to the homeserver but look-ups. */
function expectNothingUpstream(): void {
  expect(app.stub.requestsBesideLookups()).toEqual([]);
}

/** What tells one page from another, without what is made again for each. */
function essence(page: HttpAnswer): string {
  // The links to other languages have its own address, and a form that was sent has none.
  return page.text.replaceAll(
    /nonce="[^"]*"|(?<=name="form_token" value=")[^"]*|<a href="[^"]*" lang="[^<]*<\/a>\n/g,
    '',
  );
}

describe('guarded endpoints', () => {
  test('single sign-on is listed first, alone in its flow', async () => {
    const challenge = expectJudged(await ask(DELETE_DEVICES, { devices: ['A', 'B'] }));
    expect(challenge.body.flows).toEqual([
      { stages: ['m.login.sso'] },
      { stages: ['m.login.2fa.totp', 'm.login.password'] },
      { stages: ['m.login.2fa.recovery', 'm.login.password'] },
    ]);
  });

  test('switched off, the pages are not listed', async () => {
    await app.stop();
    await start({ config: 'login: { sso: false }' });
    const challenge = expectJudged(await ask(DELETE_DEVICES, { devices: ['A'] }));
    expect(challenge.body.flows[0]).toEqual({ stages: ['m.login.2fa.totp', 'm.login.password'] });
  });

  test.each(['r0', 'v3', 'unstable'])(
    '%s: code, then password; the session alone then does what was asked',
    async (prefix) => {
      app.stub.signIn('bob', 'A');
      app.stub.signIn('bob', 'B');
      const session = await begin(DELETE_DEVICES, { devices: ['A', 'B'] });
      const first = await visitor.open(fallback('m.login.sso', session, prefix));
      expect(first.status).toBe(200);
      expect(first.text).toContain('sign out 2 devices');
      expect(first.text).not.toContain('bob');
      const second = await visitor.send({ code: app.code(bob) });
      expect(second.text).toContain('@bob:localhost');
      expectNothingUpstream();
      const done = await visitor.send({ password: 'bob password' });
      expect(done.status).toBe(200);
      expect(done.text).toContain(DONE_SCRIPT);
      expectNothingUpstream();
      const answer = expectJudged(await ask(DELETE_DEVICES, { auth: { session } }));
      expect(answer.status).toBe(200);
      expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['MINE']);
      const sent = app.stub.requestsBesideLookups();
      expect(sent).toHaveLength(1);
      expect(sent[0]?.json?.auth).toEqual({
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: '@bob:localhost' },
        password: 'bob password',
      });
      expect((await ask(DELETE_DEVICES, { auth: { session } })).status).toBe(400);
      const again = await ask(DELETE_DEVICES, { devices: ['A'], auth: { session } });
      expect([again.status, again.body.completed]).toEqual([401, []]);
    },
  );

  test('a client that names the stage with its session is served, too', async () => {
    app.stub.signIn('bob', 'A');
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.sso', session));
    await visitor.send({ code: app.code(bob) });
    await visitor.send({ password: 'bob password' });
    const body = { devices: ['A'], auth: { type: 'm.login.sso', session } };
    expect((await ask(DELETE_DEVICES, body)).status).toBe(200);
  });

  test('until all is done the session alone is answered with where it stands', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.sso', session));
    expect((await ask(DELETE_DEVICES, { auth: { session } })).body.completed).toEqual([]);
    await visitor.send({ code: app.code(bob) });
    const half = expectJudged(await ask(DELETE_DEVICES, { auth: { session } }));
    expect(half.status).toBe(401);
    expect(half.body.completed).toEqual(['m.login.2fa.totp']);
  });

  test('attack 52: passwords guessed on the page at the same moment are judged one by one, five in all', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    const page = fallback('m.login.sso', session);
    await visitor.open(page);
    await visitor.send({ code: app.code(bob) });
    // Each from a tab of its own: a form that is sent again is not judged at all.
    const tabs = await Promise.all(
      Array.from({ length: 20 }, async () => formsOf((await visitor.open(page)).text)[0]),
    );
    const guesses = tabs.map((tab, index) =>
      visitor.postOnly(
        { ...tab?.fields, password: `guess ${index}` },
        {},
        page.split('?')[0] + (tab?.action ?? ''),
      ),
    );
    await Promise.all(guesses);
    const judged = app.stub.requestsTo('delete_devices').filter(({ json }) => json?.auth !== undefined);
    expect(judged.length).toBeGreaterThanOrEqual(1);
    expect(judged.length).toBeLessThanOrEqual(5);
  });

  test('the page of the TOTP stage asks for the code alone; the client brings the password', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.2fa.totp', session));
    const done = await visitor.send({ code: app.code(bob) });
    expect(done.text).toContain(DONE_SCRIPT);
    const auth = { type: 'm.login.password', session, user: 'bob', password: 'bob password' };
    expect((await ask(DELETE_DEVICES, { auth })).status).toBe(200);
  });

  test('the page of the TOTP stage takes recovery codes; the flow that the client fixed goes on', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.2fa.totp', session));
    await visitor.send({ recovery_code: bob.recoveryCodes[0] ?? '' });
    const state = await ask(DELETE_DEVICES, { auth: { session } });
    expect(state.body.completed).toEqual(['m.login.2fa.totp']);
    const set = await app.storage.factors.recoverySet(bob.userId);
    expect(set?.codes.filter(({ usedAt }) => usedAt !== null)).toHaveLength(1);
  });

  test('a wrong password is told at once and kept nowhere; five failures end the session', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.sso', session));
    await visitor.send({ code: app.code(bob) });
    for (let attempt = 1; attempt < 5; attempt++) {
      const refused = await visitor.send({ password: 'wrong' });
      expect([refused.status, refused.text.includes('Incorrect password.')]).toEqual([200, true]);
      expect(refused.text).not.toContain('value="wrong"');
    }
    const dead = await visitor.send({ password: 'wrong' });
    expect(dead.status).toBe(429);
    const anew = await ask(DELETE_DEVICES, { devices: ['A'], auth: { session } });
    expect([anew.status, anew.body.completed]).toEqual([401, []]);
    expectNothingUpstream();
  });

  test.each([
    ['right', 'bob password'],
    ['wrong', 'guess'],
  ])(
    'attack 91: a store that fails as a %s password is settled leaves the session as it was',
    async (_which, password) => {
      const session = await begin(DELETE_DEVICES, { devices: ['A'] });
      await visitor.open(fallback('m.login.sso', session));
      await visitor.send({ code: app.code(bob) });
      const before = await app.storage.sessions.find(hashSessionId(session));
      const broken = jest.spyOn(app.storage, 'commit').mockRejectedValueOnce(new StoreUnavailable(undefined));
      expect((await visitor.send({ password })).status).toBe(503);
      broken.mockRestore();
      expect(await app.storage.sessions.find(hashSessionId(session))).toEqual(before);
      await visitor.open(fallback('m.login.sso', session));
      expect((await visitor.send({ password: 'bob password' })).text).toContain(DONE_SCRIPT);
    },
  );

  test('attack 149: a session whose body cannot be carried out has no page', async () => {
    const opened = await ask(DELETE_DEVICES, { auth: { session: `m2fa_${'A'.repeat(27)}` } });
    expect(opened.status).toBe(400);
    // As an older version left it.
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    const page = fallback('m.login.sso', session);
    expect((await visitor.open(page)).status).toBe(200);
    const database = openDatabase(`${app.directory}/2fa.db`);
    database.prepare('UPDATE sessions SET sealed_body = NULL, body_digest = NULL').run();
    database.close();
    expect((await visitor.send({ code: app.code(bob) })).status).toBe(410);
    expect((await visitor.open(page)).status).toBe(410);
    // The code was not looked at.
    const sound = await begin(DELETE_DEVICES, { devices: ['B'] });
    await visitor.open(fallback('m.login.sso', sound));
    expect((await visitor.send({ code: app.code(bob) })).status).toBe(200);
  });

  test('attack 148: a form that was shown before the body was bound approves nothing', async () => {
    const deactivate = '/_matrix/client/v3/account/deactivate';
    const session = await begin(deactivate, {});
    await visitor.open(fallback('m.login.sso', session));
    expect((await ask(deactivate, { erase: true, auth: { session } })).status).toBe(401);
    await visitor.send({ code: app.code(bob) });
    expect((await ask(deactivate, { auth: { session } })).body.completed).toEqual([]);
    await visitor.send({ code: app.code(bob) });
    expect((await ask(deactivate, { auth: { session } })).body.completed).not.toEqual([]);
    const other = await ask(deactivate, { erase: false, auth: { session } });
    expect(other.status).toBe(403);
    expectNothingUpstream();
  });

  test('attack 79: five wrong codes on the page, and the next is not looked at', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.sso', session));
    for (let attempt = 1; attempt <= 5; attempt++) await visitor.send({ code: app.wrongCode(bob) });
    expect(visitor.last?.status).toBe(429);
    const again = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.sso', again));
    const waiting = await visitor.send({ code: app.code(bob) });
    expect(waiting.status).toBe(200);
    expect(waiting.headers['retry-after']).toBe('30');
    expect(waiting.text).toContain('30 seconds');
  });

  test.each<[string, JsonObject, string]>([
    ['account/password', { new_password: 'other' }, 'change your password'],
    ['account/deactivate', {}, 'permanently deactivate your account'],
    ['login/get_token', {}, 'sign in another device'],
    ['account/two-factor/recovery', {}, 'create new recovery codes'],
  ])('%s is told before anything is typed', async (path, body, words) => {
    const session = await begin(`/_matrix/client/v3/${path}`, body);
    expect((await visitor.open(fallback('m.login.sso', session))).text).toContain(words);
  });

  test('a logged-out token is told as ended', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open(fallback('m.login.sso', session));
    await visitor.send({ code: app.code(bob) });
    app.stub.expire(token);
    expect((await visitor.send({ password: 'bob password' })).status).toBe(410);
  });
});

describe('the two-factor API', () => {
  test('without 2FA the page asks for the password alone', async () => {
    const alices = app.stub.signIn('alice').token;
    const path = '/_matrix/client/v3/account/two-factor/totp';
    const challenge = expectJudged(await ask(path, { name: 'phone' }, alices));
    expect(challenge.body.flows).toEqual([{ stages: ['m.login.sso'] }, { stages: ['m.login.password'] }]);
    const { session } = challenge.body;
    const page = await visitor.open(fallback('m.login.sso', session));
    expect(page.text).toContain('set up an authenticator app');
    expect(page.text).not.toContain('alice');
    await visitor.send({ password: 'alice password' });
    const answer = expectJudged(await ask(path, { auth: { session } }, alices));
    expect(answer.status).toBe(200);
    expect(answer.body.seed).toEqual(expect.any(String));
  });
});

describe('signing in', () => {
  test.each(['m.login.2fa.totp', 'm.login.2fa.recovery', 'm.login.sso'])(
    'attack 150: the session of a login has no fallback page of %s, and a right code there is not spent',
    async (stage) => {
      const nobodys = await visitor.open(fallback(stage, `m2fa_${'x'.repeat(27)}`));
      const logins = [
        passwordLogin('bob', 'bob password'),
        { type: 'm.login.token', token: app.stub.mintLoginToken('bob') },
      ];
      for (const login of logins) {
        const challenge = await app.post(LOGIN, login);
        const session = String(challenge.json.session);
        const page = await visitor.open(fallback(stage, session));
        expect([page.status, essence(page)]).toEqual([410, essence(nobodys)]);
        const { fields } = await formOfAGuardedRequest();
        const code = app.code(bob);
        const [recovery = ''] = bob.recoveryCodes;
        for (const typed of [{ code }, { recovery_code: recovery }, { password: 'bob password' }]) {
          const posted = await visitor.post({ ...fields, ...typed }, {}, fallback(stage, session));
          expect([posted.status, essence(posted)]).toEqual([410, essence(nobodys)]);
        }
        const state = await app.post(LOGIN, { auth: { session } });
        expect(state.json.completed).toEqual(challenge.json.completed);
        const auth = { type: 'm.login.2fa.totp', session, token: code };
        expect((await app.post(LOGIN, { auth })).status).toBe(200);
        app.clock.advance(30_000);
      }
      expect(await app.storage.read(lanesOf(bob.userId))).toEqual([]);
    },
  );

  /** The token of a form, as a page gives it to this browser. */
  async function formOfAGuardedRequest(): Promise<{ fields: Record<string, string> }> {
    const page = await visitor.open(fallback('m.login.sso', await begin(DELETE_DEVICES, { devices: ['A'] })));
    const [, token = ''] = /name="form_token" value="([^"]*)"/.exec(page.text) ?? [];
    return { fields: { form_token: token } };
  }
});

describe('what is approved', () => {
  test('attack 151: before any proof the page says what is asked, by which device, from where and when', async () => {
    const device = 'Bob"s <b>phone</b>';
    token = app.stub.signIn('bob', device).token;
    const at = app.clock.now();
    const session = await begin('/_matrix/client/v3/account/deactivate', { erase: true });
    app.clock.advance(60_000);
    const said = [
      'permanently deactivate your account',
      'Asked for by <bdi>Bob&quot;s &lt;b&gt;phone&lt;/b&gt;</bdi>, from 127.0.0.1, <time datetime=',
      `${new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(at)} UTC</time>`
        .replaceAll(' ', '\u00a0')
        .replace(',\u00a0', ', '),
      new Date(at).toISOString(),
    ];
    const first = await visitor.open(fallback('m.login.sso', session));
    const refused = await visitor.send({ code: app.wrongCode(bob) });
    for (const page of [first, refused]) {
      for (const text of said) expect(page.text).toContain(text);
      expect(page.text).not.toContain('@bob');
    }
    const next = await visitor.send({ code: app.code(bob) });
    for (const text of [...said, 'Enter the password of <bdi>@bob:localhost</bdi>.'])
      expect(next.text).toContain(text);
  });

  test('attack 151: the address is that of the request, not of the reader; in German, too', async () => {
    await app.stop();
    await start({ config: 'trusted_proxies: [127.0.0.1]' });
    const asked = await ask(DELETE_DEVICES, { devices: ['A'] }).set('X-Forwarded-For', '198.51.100.7');
    const reader = new Visitor(app.url, { 'x-forwarded-for': '203.0.113.9', 'accept-language': 'de' });
    const page = await reader.open(fallback('m.login.2fa.totp', asked.body.session));
    expect(page.text).toContain('Angefragt von <bdi>MINE</bdi>, Adresse 198.51.100.7, <time');
    expect(page.text).not.toContain('203.0.113.9');
  });
});

describe('strangers', () => {
  test('attack 64: unknown, expired, foreign and malformed sessions look the same, and name no one', async () => {
    const mine = await begin(DELETE_DEVICES, { devices: ['A'] });
    await visitor.open('/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.net%2F');
    await visitor.send({ user: 'bob', password: 'bob password' });
    const ofThePage = await pageSession(app);
    const live = await visitor.open(fallback('m.login.sso', ofThePage));
    app.clock.advance(10 * 60_000);
    const pages = [live];
    for (const stage of ['m.login.sso', 'm.login.2fa.totp', 'm.login.2fa.recovery']) {
      for (const id of ['', `m2fa_${'x'.repeat(27)}`, 'm2fa_', mine, ofThePage]) {
        pages.push(await visitor.open(fallback(stage, id)));
      }
    }
    for (const page of pages) {
      expect(page.status).toBe(410);
      expect(essence(page)).toBe(essence(pages[0] as HttpAnswer));
      expect(essence(page)).not.toContain('bob');
    }
  });

  test('attack 64: a live session tells no one whose it is before a factor was proven', async () => {
    const session = await begin(DELETE_DEVICES, { devices: ['A'] });
    const page = await visitor.open(fallback('m.login.sso', session));
    expect(essence(page)).not.toMatch(/bob|localhost/);
    const refused = await visitor.send({ code: app.wrongCode(bob) });
    expect(essence(refused)).not.toMatch(/bob|localhost/);
  });

  test('the page of the homeserver comes with all of its cookies', async () => {
    app.stub.override(/m\.login\.sso\/fallback/, ({ response }) => {
      response.writeHead(200, { 'Set-Cookie': ['a=1; Path=/', 'b=2, 3; Path=/'] }).end('page');
      return ANSWERED_BY_HAND;
    });
    const page = await visitor.open(fallback('m.login.sso', 'AbCdEf'));
    expect(page.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2, 3; Path=/']);
  });

  test('attack 64: single sign-on for a session that is not ours is the homeserver’s page', async () => {
    await app.stop();
    await start({ sso: { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'bob' } });
    const theirs = app.stub.requests.length;
    const answer = await visitor.open(fallback('m.login.sso', 'AbCdEf'));
    expect(app.stub.requests.length).toBe(theirs + 1);
    expect(app.stub.requests.at(-1)?.target).toBe(fallback('m.login.sso', 'AbCdEf'));
    expect(answer.status).toBe(400);
    expect((await visitor.open(fallback('m.login.2fa.totp', 'AbCdEf'))).status).toBe(410);
    expect(app.stub.requests.length).toBe(theirs + 1);
  });
});
