/**
 * Who still gets in: what an attacker has and does, and what the owner still can. What is about the allowance of
 * sign-ins and about held logins stands in test/adversary/locking_out.test.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { knownPlaces } from '../../src/storage/tables/known_places.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { DELETE_DEVICES, GUARDED_CALLS, type GuardedCall } from '../guard/guarded.ts';
import { PASSWORD, post, RECOVERY, STEP, signIn, startSignIns, submit } from '../login/support.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { Visitor } from '../support/visitor.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const HOME = '203.0.113.7';
const ELSEWHERE = '198.51.100.7';
const PAGE = `/_2fa/login?redirectUrl=${encodeURIComponent('https://app.example.net/')}`;

let app: TestApp;
let bob: Enrolled;

afterEach(() => app.stop());

/** Bob has signed in from home before. */
async function startKnownAtHome(more = ''): Promise<void> {
  const config = `trusted_proxies: [127.0.0.1]\nlimits: { per_address: { per_second: 1000, burst_count: 10000 } }${more}`;
  ({ app, bob } = await startSignIns({ config }));
  expect((await signInFrom(HOME, app.code(bob))).status).toBe(200);
  app.clock.advance(STEP);
}

function from(ip: string): Record<string, string> {
  return { 'x-forwarded-for': ip };
}

/** A sign-in whose code stands behind the password. */
function signInFrom(ip: string, code: string, on = app): Promise<HttpAnswer> {
  const json = passwordLogin('bob', `${PASSWORD} ${code}`);
  return on.call({ target: LOGIN, json, headers: from(ip) });
}

/** Another network each time. */
const anywhere = (turn: number) => `198.18.${turn % 250}.${turn % 199}`;

/** Wrong TOTP codes with the right password, sitting out what waits there are; the last answer. */
async function guess(times: number, ip: (turn: number) => string): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    if (turn >= 5) app.clock.advance(4 * HOUR);
    expect((await signInFrom(ip(turn), app.wrongCode(bob))).status).toBe(401);
  }
}

/** A guarded call with password and code in one field. */
function act(call: GuardedCall, token: string, code: string): Promise<HttpAnswer> {
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'bob' },
    password: `${PASSWORD} ${code}`,
  };
  return app.call({ method: call.method, target: call.target, token, json: { ...call.body, auth } });
}

/** A browser with the page open, from `ip`. */
async function openPage(ip: string): Promise<Visitor> {
  const visitor = new Visitor(app.url, from(ip));
  await visitor.open(PAGE);
  return visitor;
}

/** Password and code on the page. */
async function signInOnPage(visitor: Visitor, code: string): Promise<HttpAnswer> {
  await visitor.open(PAGE);
  await visitor.send({ user: 'bob', password: PASSWORD });
  return visitor.send({ code });
}

const lanes = async () => (await app.storage.read(lanesOf(bob.userId))).map(({ lane }) => lane);
const places = async () => (await app.storage.read(knownPlaces(bob.userId, 90 * DAY))).length;

describe('the attacker has the password', () => {
  test('attack 129: … sends 200 wrong recovery codes → each 401; a recovery code and TOTP get in at once', async () => {
    await startKnownAtHome();
    for (let turn = 0; turn < 200; turn++) {
      const answer = await signInFrom(anywhere(turn), `zzzz-zzzz-${`${turn}`.padStart(4, '0')}`);
      expect(answer.status).toBe(401);
    }
    expect((await signInFrom(ELSEWHERE, app.code(bob))).status).toBe(200);
    expect((await signInFrom(anywhere(1), bob.recoveryCodes[0] ?? '')).status).toBe(200);
  });

  test.each([5, 20, 100])(
    'attack 130: … sends %d wrong TOTP codes from other networks → 429 there; TOTP at home, a recovery code anywhere',
    async (times) => {
      await startKnownAtHome();
      await guess(times, anywhere);
      const code = app.code(bob);
      const refused = await signInFrom(ELSEWHERE, code);
      expect([refused.status, refused.json.errcode]).toEqual([429, 'M_LIMIT_EXCEEDED']);
      expect(Number(refused.json.retry_after_ms)).toBeLessThanOrEqual(4 * HOUR);
      // Attack 131: it was not looked at, so it is good at home in the same step.
      expect((await signInFrom(HOME, code)).status).toBe(200);
      expect((await signInFrom(ELSEWHERE, bob.recoveryCodes[0] ?? '')).status).toBe(200);
    },
  );

  test('attack 131: a right code that is answered 429 works from a known network in the same step', async () => {
    await startKnownAtHome();
    await guess(5, anywhere);
    const code = app.code(bob);
    expect((await signInFrom(ELSEWHERE, code)).json.error).toBe(
      'Too many wrong codes. Wait 30 seconds, or use a recovery code.',
    );
    expect((await signInFrom(HOME, code)).status).toBe(200);
    expect((await signInFrom(HOME, code)).status).toBe(401);
  });

  test('attack 130: … and comes from the owner’s network → a known browser, another network, a live session', async () => {
    await startKnownAtHome();
    const browser = await openPage(HOME);
    expect((await signInOnPage(browser, app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    expect((await signInFrom(ELSEWHERE, app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    await guess(5, () => HOME);
    expect((await signInFrom(HOME, app.code(bob))).status).toBe(429);
    expect((await signInOnPage(browser, app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    expect((await signInFrom(ELSEWHERE, app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    const { token } = app.stub.signIn('bob', 'LIVE');
    expect((await act(DELETE_DEVICES, token, app.code(bob))).status).toBe(200);
  });

  test('attack 135: … over two processes and a restart → no more is looked at than one lane allows', async () => {
    await startKnownAtHome();
    const other = await app.startAnother();
    const statuses: number[] = [];
    for (let turn = 0; turn < 100; turn++) {
      const on = turn % 2 === 0 ? app : other;
      statuses.push((await signInFrom(anywhere(turn), app.wrongCode(bob), on)).status);
    }
    await app.shutDown();
    await app.start();
    for (let turn = 0; turn < 100; turn++) {
      statuses.push((await signInFrom(anywhere(turn), app.wrongCode(bob))).status);
    }
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(195);
  });
});

describe('the attacker has a token', () => {
  /** Six wrong codes on the thief's device. */
  async function steal(device = 'THIEF'): Promise<string> {
    const { token } = app.stub.signIn('bob', device);
    for (let turn = 0; turn < 5; turn++) {
      expect((await act(DELETE_DEVICES, token, app.wrongCode(bob))).status).toBe(401);
    }
    expect((await act(DELETE_DEVICES, token, app.wrongCode(bob))).status).toBe(429);
    return token;
  }

  test.each(
    GUARDED_CALLS.filter(({ name }) => name !== 'login/get_token').map((call) => [call.name, call] as const),
  )(
    'attack 133: … sends wrong codes → on another device a right code and a recovery code pass: %s',
    async (_name, call) => {
      await startKnownAtHome();
      await steal();
      for (const code of [app.code(bob), bob.recoveryCodes[0] ?? '']) {
        const { token } = app.stub.signIn('bob', 'OWN');
        const answer = await act(call, token, code);
        expect(answer.status).not.toBe(429);
        expect(answer.json.errcode).not.toBe('M_LIMIT_EXCEEDED');
      }
    },
  );

  test('attack 133: … → on the same device a recovery code, logout and logout of all pass', async () => {
    await startKnownAtHome();
    const token = await steal();
    expect((await act(DELETE_DEVICES, token, bob.recoveryCodes[0] ?? '')).status).toBe(200);
    expect((await app.post('/_matrix/client/v3/logout', {}, token)).status).toBe(200);
    const again = app.stub.signIn('bob', 'THIEF').token;
    expect((await app.post('/_matrix/client/v3/logout/all', {}, again)).status).toBe(200);
  });

  test('attack 134: … and gets new tokens for the device → they count in the same lane', async () => {
    await startKnownAtHome();
    await steal();
    const renewed = app.stub.signIn('bob', 'THIEF').token;
    expect((await act(DELETE_DEVICES, renewed, app.code(bob))).status).toBe(429);
    expect(await lanes()).toContain('device:THIEF');
  });
});

describe('no one knows the addresses: all come from one', () => {
  test('attack 130: … → a recovery code, a known browser, a live session', async () => {
    ({ app, bob } = await startSignIns());
    const browser = new Visitor(app.url);
    expect((await signInOnPage(browser, app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    for (let turn = 0; turn < 5; turn++) await signIn(app, 'bob', `${PASSWORD} ${app.wrongCode(bob)}`);
    expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(429);
    expect((await signInOnPage(browser, app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    const { token } = app.stub.signIn('bob', 'LIVE');
    expect((await act(DELETE_DEVICES, token, app.code(bob))).status).toBe(200);
    expect((await submit(app, await signIn(app, 'bob'), bob.recoveryCodes[0], RECOVERY)).status).toBe(200);
  });
});

describe('the attacker has the same address as the owner', () => {
  test('attack 142: … and floods it with wrong passwords → a known browser, a live session, another network', async () => {
    ({ app, bob } = await startSignIns({ config: 'trusted_proxies: [127.0.0.1]' }));
    const browser = await openPage(HOME);
    expect((await signInOnPage(browser, app.code(bob))).status).toBe(200);
    // What is held of that sign-in is over: the next one goes to the homeserver.
    app.clock.advance(10 * STEP);
    const { token } = app.stub.signIn('bob');
    for (let turn = 0; turn < 70; turn++) {
      await app.call({ target: LOGIN, json: passwordLogin('alice', `wrong ${turn}`), headers: from(HOME) });
    }
    const stranger = await app.call({
      target: LOGIN,
      json: passwordLogin('bob', PASSWORD),
      headers: from(HOME),
    });
    expect(stranger.status).toBe(429);
    const unknown = await openPage(HOME);
    const waits = await unknown.send({ user: 'bob', password: PASSWORD });
    expect(waits.text).toContain('Too many attempts from your network.');
    expect(Number(waits.headers['retry-after'])).toBeGreaterThan(0);

    expect((await signInOnPage(browser, app.code(bob))).status).toBe(200);
    app.clock.advance(STEP);
    expect(
      (await app.call({ target: '/_matrix/client/v3/account/two-factor', token, headers: from(HOME) }))
        .status,
    ).toBe(200);
    expect((await signInFrom(ELSEWHERE, app.code(bob))).status).toBe(200);
  });

  test('attack 142: … a browser known to one user guesses the password of no other from a full address', async () => {
    ({ app, bob } = await startSignIns({ config: 'trusted_proxies: [127.0.0.1]' }));
    const browser = await openPage(HOME);
    await signInOnPage(browser, app.code(bob));
    for (let turn = 0; turn < 70; turn++) {
      await app.call({ target: LOGIN, json: passwordLogin('bob', `wrong ${turn}`), headers: from(HOME) });
    }
    await browser.open(PAGE);
    const guess = await browser.send({ user: 'alice', password: 'a guess' });
    expect(guess.text).toContain('Too many attempts from your network.');
  });
});

describe('what becomes known, and for how long', () => {
  test('attack 136: a network by an accepted factor, not by a wrong code, a right password, or a forged header', async () => {
    ({ app, bob } = await startSignIns());
    const challenge = await post(app, LOGIN, passwordLogin('bob', PASSWORD), from(ELSEWHERE));
    await submit(app, challenge, app.wrongCode(bob));
    expect(await places()).toBe(0);
    await post(app, LOGIN, passwordLogin('bob', `${PASSWORD} ${app.code(bob)}`), from(ELSEWHERE));
    expect(await places()).toBe(1);
    app.clock.advance(STEP);
    // The peer is not trusted: whatever it says of itself, it is one network.
    await post(app, LOGIN, passwordLogin('bob', `${PASSWORD} ${app.code(bob)}`), from(HOME));
    expect(await places()).toBe(1);
  });

  test('attack 136: … by the confirmation of a set-up, not by one that was begun', async () => {
    ({ app, bob } = await startSignIns());
    const { token } = app.stub.signIn('alice');
    const api = '/_matrix/client/v3/account/two-factor/totp';
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'alice' },
      password: PASSWORD,
    };
    const begun = await app.post(api, { auth }, token);
    const ofAlice = knownPlaces('@alice:localhost', 90 * DAY);
    expect(await app.storage.read(ofAlice)).toEqual([]);
    const confirm = {
      setup_id: String(begun.json.setup_id),
      token: app.code({ ...bob, seed: seedIn(begun.json) }),
    };
    expect((await app.post(`${api}/confirm`, confirm, token)).status).toBe(200);
    expect(await app.storage.read(ofAlice)).toHaveLength(1);
  });

  test('attack 136: … for 90 days, to a reset, and 16 of a user', async () => {
    await startKnownAtHome();
    expect(await places()).toBe(1);
    app.clock.advance(90 * DAY);
    expect((await signInFrom(HOME, app.wrongCode(bob))).status).toBe(401);
    expect(await lanes()).toEqual(['elsewhere']);
    await app.proxy.keepHouse();
    expect(await app.storage.read(knownPlaces(bob.userId, 1000 * DAY))).toEqual([]);
    for (let turn = 0; turn < 20; turn++) {
      expect((await signInFrom(anywhere(turn), app.code(bob))).status).toBe(200);
      app.clock.advance(STEP);
    }
    expect(await places()).toBe(16);
    await guess(5, () => anywhere(200));
    expect((await signInFrom(anywhere(0), app.code(bob))).status).toBe(429);
    expect((await signInFrom(anywhere(19), app.code(bob))).status).toBe(200);
    await app.storage.factors.removeAllFactors(bob.userId);
    expect(await places()).toBe(0);
    expect(await lanes()).toEqual([]);
  });
});

describe('the cookie of a known browser', () => {
  async function knownBrowser(): Promise<Visitor> {
    await startKnownAtHome();
    const browser = await openPage(ELSEWHERE);
    expect(browser.cookies.has('m2fa_browser')).toBe(false);
    const wrong = await signInOnPage(browser, app.wrongCode(bob));
    expect(wrong.text).toContain('That code is incorrect or was already used.');
    expect(browser.cookies.has('m2fa_browser')).toBe(false);
    await signInOnPage(browser, app.code(bob));
    expect(browser.sent?.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^m2fa_browser=[A-Za-z0-9_-]{22}; HttpOnly; SameSite=Lax; Path=\/_2fa; Max-Age=15552000; Secure$/,
      ),
    ]);
    app.clock.advance(STEP);
    return browser;
  }

  /** By which lane a wrong code counts that comes with this cookie. */
  async function laneOf(cookie: string, name = 'bob'): Promise<string> {
    const visitor = await openPage('192.0.2.1');
    visitor.cookies.set('m2fa_browser', cookie);
    await visitor.open(PAGE);
    await visitor.send({ user: name, password: PASSWORD });
    await visitor.send({ code: '000000' });
    const [newest] = await app.storage.audit.list({ userId: `@${name}:localhost`, limit: 1 });
    return String(newest?.detail.lane);
  }

  test('attack 137: … of another user, altered, from before a reset, or sent to the API → the lane elsewhere', async () => {
    const cookie = (await knownBrowser()).cookies.get('m2fa_browser') ?? '';
    expect(await laneOf(cookie)).toBe('browser');
    expect(await laneOf(`${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`)).toBe('elsewhere');
    expect(await laneOf('x'.repeat(4000))).toBe('elsewhere');
    await app.enrol('alice');
    expect(await laneOf(cookie, 'alice')).toBe('elsewhere');

    const json = passwordLogin('bob', `${PASSWORD} ${app.wrongCode(bob)}`);
    const headers = { ...from('192.0.2.1'), cookie: `m2fa_browser=${cookie}` };
    await app.call({ target: LOGIN, json, headers });
    const [newest] = await app.storage.audit.list({ userId: bob.userId, limit: 1 });
    expect(newest?.detail.lane).toBe('elsewhere');

    await app.storage.factors.removeAllFactors(bob.userId);
    bob = await app.enrol('bob');
    expect(await laneOf(cookie)).toBe('elsewhere');
  });

  test('attack 137: … replaces no factor, and stands nowhere in the clear', async () => {
    const browser = await knownBrowser();
    const cookie = browser.cookies.get('m2fa_browser') ?? '';
    await browser.open(PAGE);
    const page = await browser.send({ user: 'bob', password: PASSWORD });
    expect(page.text).toContain('name="code"');
    await app.shutDown();
    expect(readFileSync(join(app.directory, '2fa.db')).includes(cookie)).toBe(false);
    await app.start();
  });
});

test('attack 55: history names the kind of way, and the operator sees the lanes', async () => {
  await startKnownAtHome();
  await guess(5, anywhere);
  const records = await app.storage.audit.list({ userId: bob.userId });
  const kinds = records.filter(({ event }) => event === 'factor.refused').map(({ detail }) => detail.lane);
  expect(new Set(kinds)).toEqual(new Set(['elsewhere']));
  expect(await lanes()).toContain('elsewhere');
});

function seedIn({ seed }: JsonObject): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...String(seed)]
    .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
