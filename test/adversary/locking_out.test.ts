import { describe, expect, jest, test } from '@jest/globals';
import type { Response } from 'supertest';
import { SignInLine } from '../../src/login/sign_in_line.ts';
import { StoredLineLeases } from '../../src/login/stored_line_leases.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { app, bob, start } from '../login/each_test.ts';
import {
  ask,
  failToHold,
  loginsOf,
  MINUTE,
  PASSWORD,
  post,
  STEP,
  signIn,
  submit,
  TOTP,
} from '../login/support.ts';
import { LOGIN } from '../support/app.ts';
import { SYNAPSE_DEFAULT_RATES } from '../support/stub/limits.ts';
import { until } from '../support/until.ts';
import { Visitor } from '../support/visitor.ts';

/** The owner signs in; a 429 of the homeserver may be waited for once. */
async function ownerGetsIn(): Promise<void> {
  let challenge = await signIn(app, 'bob');
  if (challenge.status === 429) {
    app.clock.advance(challenge.body.retry_after_ms);
    challenge = await signIn(app, 'bob');
  }
  expect(challenge.status).toBe(401);
  const answer = await submit(app, challenge, app.code(bob));
  expect(answer.status).toBe(200);
  expect(answer.body.user_id).toBe(bob.userId);
  expect(app.stub.isLive(answer.body.access_token)).toBe(true);
}

/** Logins that the homeserver granted Bob, whether they still live or were logged out. */
function grantedLogins(): number {
  return app.stub.liveTokens('bob').length + app.stub.requestsTo('logout').length;
}

const NAMES = [
  'bob',
  'BOB',
  'Bob',
  ' bob',
  'bob ',
  '@bob:localhost',
  '@BOB:localhost',
  'ｂｏｂ',
  'boB',
  'bOb',
];
const wide = (at: number) =>
  `${PASSWORD.slice(0, at)}${String.fromCodePoint((PASSWORD.codePointAt(at) ?? 0) + 0xfee0)}${PASSWORD.slice(at + 1)}`;
const PASSWORDS = [PASSWORD, wide(0), wide(1)];

function isOurLimit({ status, body }: { status: number; body: JsonObject }): boolean {
  return status === 429 && !String(body.error).startsWith('Too Many Requests');
}

function spellings(): [string, string, JsonObject][] {
  return NAMES.flatMap((name) =>
    PASSWORDS.flatMap((password): [string, string, JsonObject][] => [
      [name, password, {}],
      [name, password, { refresh_token: true }],
    ]),
  );
}

describe('attack 127: sixty spellings of name and password make two logins', () => {
  test('attack 127: at once', async () => {
    await start({ loginRates: SYNAPSE_DEFAULT_RATES });
    const answers = await Promise.all(spellings().map((spelling) => signIn(app, ...spelling)));
    expect(answers).toHaveLength(60);
    expect(grantedLogins()).toBeLessThanOrEqual(2);
    await ownerGetsIn();
  });

  test('attack 127: one after the other', async () => {
    await start({ loginRates: SYNAPSE_DEFAULT_RATES });
    for (const spelling of spellings()) await signIn(app, ...spelling);
    expect(grantedLogins()).toBeLessThanOrEqual(2);
    await ownerGetsIn();
  });
});

test('attack 128: other names of the same user each make one further login, and the owner joins, time after time', async () => {
  await start({
    loginRates: SYNAPSE_DEFAULT_RATES,
    users: [{ name: 'bob', password: PASSWORD, emails: ['bob@example.org'], phones: ['49123'] }],
  });
  const thirdParty = (medium: string, address: string) =>
    post(app, LOGIN, {
      type: 'm.login.password',
      identifier: { type: 'm.id.thirdparty', medium, address },
      password: PASSWORD,
    });
  for (let hold = 0; hold < 10; hold++) {
    const before = grantedLogins();
    for (let turn = 0; turn < 4; turn++) {
      const answers = [
        await thirdParty('email', 'bob@example.org'),
        await thirdParty('email', 'BOB@example.org'),
        await thirdParty('msisdn', '49123'),
      ];
      // Ours has a text of its own; the homeserver's limit is its own affair.
      expect(answers.filter(isOurLimit)).toEqual([]);
    }
    // One by each of the two names; the third is the owner's own where their login waited for the homeserver's limit.
    expect(grantedLogins() - before).toBeLessThanOrEqual(2);
    await ownerGetsIn();
    app.clock.advance(5 * MINUTE);
    await app.proxy.keepHouse();
  }
});

const CLIENT = 'https://app.example.net/';

/** Name and password on the sign-in page. */
async function visitPage(name: string): Promise<Visitor> {
  const visitor = new Visitor(app.url);
  await visitor.open(`/_2fa/login?redirectUrl=${encodeURIComponent(CLIENT)}`);
  await visitor.send({ user: name, password: PASSWORD });
  return visitor;
}

/** The code, the confirmation, and the client that redeems the login token. */
async function finishPage(visitor: Visitor): Promise<Response> {
  await visitor.send({ code: app.code(bob) });
  const sent = await visitor.send({ decision: 'allow' });
  const location = new URL(String(sent.headers.location));
  return post(app, LOGIN, { type: 'm.login.token', token: location.searchParams.get('loginToken') ?? '' });
}

describe('attack 138: sign-ins without end by a user who has the password', () => {
  test('attack 138: the owner’s session under a token, their page and their whole body can be finished', async () => {
    await start({ config: 'uia: { max_sessions: 60 }' });
    const { token } = app.stub.signIn('bob');
    const removal = { devices: ['OTHER'] };
    const guarded = await app.post('/_matrix/client/v3/delete_devices', removal, token);
    const { session } = guarded.json;
    const stage = { type: TOTP, session, token: app.code(bob) };
    expect(
      (await app.post('/_matrix/client/v3/delete_devices', { auth: stage }, token)).json.completed,
    ).toEqual([TOTP]);
    app.clock.advance(STEP);

    for (let turn = 0; turn < 205; turn++) await signIn(app, 'bob');
    for (let turn = 0; turn < 105; turn++) await visitPage('bob');
    expect(loginsOf(app)).toHaveLength(1);

    const still = await app.post('/_matrix/client/v3/delete_devices', { auth: { session } }, token);
    expect(still.json.completed).toEqual([TOTP]);
    const field = await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`);
    expect(field.status).toBe(200);
    app.clock.advance(STEP);
    expect((await finishPage(await visitPage('bob'))).status).toBe(200);
  });

  test('attack 138: a page whose held login another sign-in took goes on with the same code', async () => {
    await start();
    const page = await visitPage('bob');
    await page.send({ code: app.code(bob) });
    app.clock.advance(STEP);
    expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(200);
    const sent = await page.send({ decision: 'allow' });
    const location = new URL(String(sent.headers.location));
    const login = { type: 'm.login.token', token: location.searchParams.get('loginToken') ?? '' };
    expect((await post(app, LOGIN, login)).body.user_id).toBe(bob.userId);
  });

  test('attack 138: a session that passed takes the next login of its user, without another code', async () => {
    await start();
    const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
    app.stub.failNext('login', {
      status: 429,
      body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests' },
    });
    expect((await submit(app, challenge, app.code(bob))).status).toBe(429);
    app.clock.advance(STEP);
    expect((await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`)).status).toBe(200);
    const answer = await ask(app, challenge);
    expect(answer.status).toBe(200);
    expect(answer.body.device_id).toBe('PHONE');
  });
});

test('attack 139: a crowd of held logins ends its own and no one else’s', async () => {
  await start({ config: 'uia: { max_sessions: 12 }' });
  const challenge = await signIn(app, 'bob');
  // Bob's login is the oldest of all.
  const [granted = ''] = app.stub.liveTokens('bob');
  app.clock.advance(1000);
  const crowd = Array.from({ length: 4 }, (_, index) => `crowd${index}`);
  for (const name of crowd) {
    app.stub.addUser({ name, password: PASSWORD });
    await app.enrol(name);
  }
  for (let turn = 0; turn < 6; turn++) {
    for (const name of crowd) {
      await post(app, LOGIN, { type: 'm.login.token', token: app.stub.mintLoginToken(name) });
    }
  }
  await app.proxy.keepHouse();
  expect(app.stub.isLive(granted)).toBe(true);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
  const live = crowd.flatMap((name) => app.stub.liveTokens(name));
  expect(live.length).toBeLessThanOrEqual(12);
});

test('attack 139: page sign-ins of an account without 2FA end their own', async () => {
  await start({ config: 'uia: { max_sessions: 20 }' });
  const challenge = await signIn(app, 'bob');
  const page = await visitPage('bob');
  app.clock.advance(1000);
  for (let turn = 0; turn < 40; turn++) await visitPage('alice');
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('alice').length).toBeLessThanOrEqual(20);
  expect((await finishPage(page)).status).toBe(200);
  app.clock.advance(STEP);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});

describe('attack 143: a store that fails takes nothing', () => {
  test('attack 143: six sign-ins while no login can be held, then the owner gets in', async () => {
    await start();
    const commit = app.storage.commit;
    failToHold(app, new StoreUnavailable(new Error('locked')));
    for (let turn = 0; turn < 6; turn++) expect((await signIn(app, 'bob')).status).toBe(503);
    expect(app.stub.liveTokens('bob')).toEqual([]);
    Object.assign(app.storage, { commit });
    await ownerGetsIn();
  });

  test('attack 143: a homeserver that answers anything but a login takes nothing either', async () => {
    await start();
    for (const status of [500, 429, 502, 418]) {
      app.stub.failNext('login', { status, body: { errcode: 'M_UNKNOWN', error: 'no' } });
      await signIn(app, 'bob');
    }
    await ownerGetsIn();
  });
});

describe('attack 169: two processes on one database', () => {
  test('attack 169: twenty equal sign-ins at once are one login, and one code is one token', async () => {
    await start();
    const other = await app.startAnother();
    const at = (turn: number) => (turn % 2 === 0 ? app : other);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, turn) => signIn(at(turn), 'bob')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 401));
    expect(loginsOf(app)).toHaveLength(1);
    const code = app.code(bob);
    const finals = await Promise.all(answers.map((challenge, turn) => submit(at(turn + 1), challenge, code)));
    expect(finals.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
  });

  test('attack 147: equal wrong sign-ins in both are asked for once', async () => {
    await start();
    const other = await app.startAnother();
    const stands = jest.spyOn(SignInLine.prototype, 'ask');
    const waits = jest.spyOn(StoredLineLeases.prototype, 'look');
    // Answered once all stand in line, and one process has seen that the other one asks.
    app.stub.override('login', async (_exchange, next) => {
      await until(() => stands.mock.calls.length === 12 && waits.mock.calls.length > 0);
      return next();
    });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, turn) => signIn(turn % 2 === 0 ? app : other, 'bob', 'wrong')),
    );
    stands.mockRestore();
    waits.mockRestore();
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(403);
    expect(loginsOf(app)).toHaveLength(1);
  });

  test('attack 169: password at one, code at the other, more often than a user may have logins waiting', async () => {
    await start();
    const other = await app.startAnother();
    for (let turn = 0; turn < 8; turn++) {
      const challenge = await signIn(turn % 2 === 0 ? app : other, 'bob');
      const answer = await submit(turn % 2 === 0 ? other : app, challenge, app.code(bob));
      expect(answer.status).toBe(200);
      app.clock.advance(STEP);
    }
  });

  test('attack 169: keys rotated in between: holds, sessions and join keys go on', async () => {
    await start();
    const challenge = await signIn(app, 'bob');
    app.rotateKeys();
    const other = await app.startAnother();
    expect((await signIn(other, 'bob')).status).toBe(401);
    expect((await signIn(app, 'bob')).status).toBe(401);
    expect(loginsOf(app)).toHaveLength(1);
    expect((await submit(other, challenge, app.code(bob))).status).toBe(200);
  });
});
