import { expect, test } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { judgeAll } from '../support/judged.ts';
import { beginOnPage, finishOnPage, PagePerson, signInOnPage } from './page_person.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** `login.hold_ttl`, where it is left out. */
const HOLD_TTL = 5 * MINUTE;
const PASSWORD = 'correct horse';
const USERS = [{ name: 'bob', password: PASSWORD }];
const DEVICES = '/_matrix/client/v3/delete_devices';
const SESSION = '/_2fa/account/session';
const COOKIE = '__Secure-m2fa_page';
const ORIGIN = 'https://matrix.example.org';

describeOnBothDatabases('sessions of the account page', (start) => {
  let app: TestApp;
  let bob: Enrolled;

  async function begin(config = ''): Promise<PagePerson> {
    app = await start({ users: USERS, config });
    bob = await app.enrol('bob');
    return signInOnPage(app, { name: 'bob', password: PASSWORD, code: app.code(bob) });
  }

  const liveTokens = () => app.stub.liveTokens('bob').length;
  /** What a person meets whose session is over. */
  const OVER = [401, 'M_UNKNOWN_TOKEN'];
  const stateOf = async (person: PagePerson) => {
    const { status, json } = await person.call();
    return [status, json.errcode];
  };

  test('the page gets its token, a key, and what it needs to know', async () => {
    const person = await begin();
    const { status, json, headers } = await person.call({ key: person.key });
    expect(status).toBe(200);
    expect(judgeAll({ method: 'POST', path: SESSION, status, body: json })).toEqual([]);
    const now = app.clock.now();
    expect(json).toEqual({
      user_id: '@bob:localhost',
      device_id: expect.stringMatching(/./),
      access_token: person.token,
      page_key: person.key,
      step_up_until_ts: now + 10 * MINUTE,
      idle_ms: 15 * MINUTE,
      ends_ts: now + 8 * HOUR,
      factor: 'totp',
      codes_left: 3,
      has_password: true,
    });
    expect(headers['cache-control']).toBe('no-store');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    expect(app.stub.isLive(person.token)).toBe(true);
  });

  test('attack 212: what is in the store opens nothing; nor does a value in another row', async () => {
    const person = await begin();
    const other = await signInOnPage(app, { name: 'bob', password: PASSWORD, code: app.code(bob, 1) });
    type Row = { id: string; sealed_token: Buffer };
    const rows = await app.storage.read<Row>({ does: 'ask', sql: 'SELECT * FROM page_sessions', values: {} });
    const text =
      JSON.stringify(rows) + rows.map(({ sealed_token: sealed }) => sealed.toString('latin1')).join();
    for (const secret of [person.cookie, person.token, person.key, other.token]) {
      expect(text).not.toContain(secret);
    }
    const [one, two] = rows;
    const sql = 'UPDATE page_sessions SET sealed_token = :sealed WHERE id = :id';
    const moved = { sealed: one?.sealed_token ?? Buffer.of(), id: two?.id ?? '' };
    await app.storage.commit([], { does: 'effect', sql, values: moved });
    const answers = await Promise.all([person.call(), other.call()]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 500]);
  });

  test('one sign-in makes one session, however often it is finished at once, in two processes', async () => {
    await begin();
    const other = await app.startAnother();
    const before = liveTokens();
    const id = await beginOnPage(app, { name: 'bob', password: PASSWORD, code: app.code(bob, 1) });
    const ways = [app, other, app, other].map((each) => finishOnPage(each, id));
    expect((await Promise.all(ways)).filter((cookie) => cookie !== undefined).length).toBe(1);
    expect(await finishOnPage(app, id)).toBeUndefined();
    // One that came late may have signed in once more: what it was granted ends with the time of a held login.
    app.clock.advance(HOLD_TTL);
    await app.proxy.keepHouse();
    expect(liveTokens()).toBe(before + 1);
  });

  test('attack 213: changed factors or password between the code and the end of the sign-in: no session', async () => {
    await begin();
    const id = await beginOnPage(app, { name: 'bob', password: PASSWORD, code: app.code(bob, 1) });
    await app.storage.factors.endProofs('@bob:localhost');
    expect(await finishOnPage(app, id)).toBeUndefined();
    const unproven = await beginOnPage(app, { name: 'bob', password: PASSWORD });
    expect(await finishOnPage(app, unproven)).toBeUndefined();
    app.clock.advance(HOUR);
    await app.proxy.keepHouse();
    expect(liveTokens()).toBe(0);
  });

  test('a user without 2FA gets a session too, without a step-up', async () => {
    app = await start({ users: USERS });
    const person = await signInOnPage(app, { name: 'bob', password: PASSWORD });
    expect((await person.call()).json).toMatchObject({
      step_up_until_ts: null,
      factor: null,
      codes_left: null,
    });
  });

  test('it says whether there is a password to change, where the homeserver has single sign-on', async () => {
    const sso = { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'bob' };
    app = await start({ users: USERS, sso });
    const enter = async () => {
      const id = await beginOnPage(app, { name: 'bob', password: PASSWORD });
      return new PagePerson(app, (await finishOnPage(app, id)) ?? '');
    };
    const withPassword = await enter();
    expect(await withPassword.load()).toMatchObject({ has_password: true });
    const without = await enter();
    app.stub.user('bob').password = null;
    expect(await without.load()).toMatchObject({ has_password: false });
    app.stub.failNext('/delete_devices', { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } });
    expect((await without.load()).has_password).not.toBe(false);
  });

  test('attack 214: without a call for the idle time, after its lifetime: over, and logged out', async () => {
    const person = await begin('account: { idle: 15m, lifetime: 1h }');
    for (let quarter = 0; quarter < 3; quarter += 1) {
      app.clock.advance(14 * MINUTE);
      expect((await person.call()).status).toBe(200);
    }
    app.clock.advance(15 * MINUTE);
    expect(await stateOf(person)).toEqual(OVER);
    await app.proxy.keepHouse();
    expect(app.stub.isLive(person.token)).toBe(false);

    app.clock.advance(30_000);
    const late = await signInOnPage(app, { name: 'bob', password: PASSWORD, code: app.code(bob) });
    for (let tenth = 0; tenth < 5; tenth += 1) {
      app.clock.advance(10 * MINUTE);
      expect((await late.call()).status).toBe(200);
    }
    app.clock.advance(10 * MINUTE);
    expect(await stateOf(late)).toEqual(OVER);
  });

  test('attack 214: a restart does not end it, nor let it live longer', async () => {
    const person = await begin();
    app.clock.advance(10 * MINUTE);
    await app.shutDown();
    await app.start();
    expect((await person.call()).status).toBe(200);
    await app.shutDown();
    app.clock.advance(15 * MINUTE);
    await app.start();
    expect(await stateOf(person)).toEqual(OVER);
    await app.proxy.keepHouse();
    expect(app.stub.isLive(person.token)).toBe(false);
  });

  test('its logout is tried until the homeserver has answered, by one of two processes', async () => {
    const person = await begin();
    const other = await app.startAnother();
    const answerAgain = app.stub.override(/POST .*\/logout$/, () => ({
      status: 500,
      body: { errcode: 'M_UNKNOWN', error: 'no' },
    }));
    app.clock.advance(16 * MINUTE);
    await Promise.all([app.proxy.keepHouse(), other.proxy.keepHouse()]);
    expect(app.stub.requestsTo('logout').length).toBe(1);
    expect(app.stub.isLive(person.token)).toBe(true);
    answerAgain();
    app.clock.advance(MINUTE);
    await Promise.all([app.proxy.keepHouse(), other.proxy.keepHouse()]);
    expect(app.stub.isLive(person.token)).toBe(false);
    app.clock.advance(HOUR);
    await app.proxy.keepHouse();
    expect(app.stub.requestsTo('logout').length).toBe(2);
  });

  test('a password change, logout/all, and the end of its device end it', async () => {
    const person = await begin();
    const auth = {
      type: 'm.login.password',
      password: PASSWORD,
      identifier: { type: 'm.id.user', user: 'bob' },
    };
    const ask = (target: string, json: object) => app.post(target, { ...json }, person.token);
    const changing = { new_password: 'entirely different', logout_devices: false };
    const change = await ask('/_matrix/client/v3/account/password', {
      ...changing,
      auth: { ...auth, password: `${PASSWORD}${app.code(bob, 1)}` },
    });
    expect(change.status).toBe(200);
    expect(await stateOf(person)).toEqual(OVER);

    app.clock.advance(MINUTE);
    const again = { name: 'bob', password: 'entirely different', code: app.code(bob) };
    const second = await signInOnPage(app, again);
    const elsewhere = app.stub.signIn('bob').token;
    expect((await app.post('/_matrix/client/v3/logout/all', {}, elsewhere)).status).toBe(200);
    expect(await stateOf(second)).toEqual(OVER);

    app.clock.advance(MINUTE);
    const third = await signInOnPage(app, { ...again, code: app.code(bob) });
    const { token } = app.stub.signIn('bob');
    const device = (await third.call()).json.device_id as string;
    app.clock.advance(30_000);
    const removed = await app.post(
      DEVICES,
      { devices: [device], auth: { ...auth, password: `entirely different${app.code(bob)}` } },
      token,
    );
    expect(removed.status).toBe(200);
    expect(await stateOf(third)).toEqual(OVER);
  });

  test('a homeserver that does not answer ends nothing', async () => {
    const person = await begin();
    for (const [status, shown] of [
      [500, 502],
      [429, 429],
    ] as const) {
      const answerAgain = app.stub.override(/whoami$/, () => ({
        status,
        body: { errcode: 'M_UNKNOWN', error: 'no' },
      }));
      expect((await person.call()).status).toBe(shown);
      answerAgain();
    }
    expect((await person.call()).status).toBe(200);
  });

  test('attack 215: from another site, without a cookie, with another one: nothing', async () => {
    const person = await begin();
    const cookie = `${COOKIE}=${person.cookie}`;
    const post = (headers: Record<string, string>, json: object = {}) =>
      app.call({ method: 'POST', target: SESSION, json: { ...json }, headers });
    for (const headers of [
      { Origin: 'https://evil.example.org' },
      { Origin: 'null' },
      { Origin: 'http://matrix.example.org' },
      { Origin: ORIGIN, 'Sec-Fetch-Site': 'cross-site' },
      { Origin: ORIGIN, 'Sec-Fetch-Site': 'same-site' },
      {},
    ]) {
      const answer = await post({ ...headers, Cookie: cookie } as Record<string, string>);
      expect([answer.status, answer.json.errcode]).toEqual([403, 'M_FORBIDDEN']);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
    for (const value of ['', 'x', 'x'.repeat(43), person.token, person.key]) {
      const answer = await post({ Origin: ORIGIN, Cookie: `${COOKIE}=${value}` });
      expect([answer.status, answer.json.errcode]).toEqual(OVER);
      expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Secure-m2fa_page=; .*; Max-Age=0$/);
    }
    const odd = await post({ Origin: ORIGIN, Cookie: cookie }, { user_id: '@alice:localhost' });
    expect([odd.status, odd.json.errcode]).toEqual([400, 'M_BAD_JSON']);
    const outside = await app.call({
      method: 'POST',
      target: '/_2fa/account/sign-out',
      body: 'form_token=x',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Cookie: cookie },
    });
    expect(outside.status).toBe(403);
    // There is nothing to see at the address of the form.
    expect(outside.text).toContain('<a class="button full" href="/_2fa/account">Load the page again</a>');
    expect((await person.call()).status).toBe(200);
  });

  test('signing out ends it, removes the cookie, and logs the token out', async () => {
    const person = await begin();
    const page = await app.call({ target: '/_2fa/login?redirectUrl=https%3A%2F%2Fclient.example.org' });
    const form = /name="form_token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';
    const [own = ''] = (page.headers['set-cookie']?.[0] ?? '').split(';');
    const answer = await app.call({
      method: 'POST',
      target: '/_2fa/account/sign-out',
      body: `form_token=${form}`,
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Cookie: `${own}; ${COOKIE}=${person.cookie}`,
        Origin: ORIGIN,
      },
    });
    expect([answer.status, answer.headers.location]).toEqual([303, '/_2fa/account?signed_out']);
    expect(answer.headers['set-cookie']).toEqual([
      `${COOKIE}=; HttpOnly; SameSite=Strict; Path=/_2fa/account; Secure; Max-Age=0`,
    ]);
    expect(await stateOf(person)).toEqual(OVER);
    await app.proxy.keepHouse();
    expect(app.stub.isLive(person.token)).toBe(false);
  });
});
