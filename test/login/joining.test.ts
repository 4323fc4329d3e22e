import { describe, expect, test } from '@jest/globals';
import type { Response } from 'supertest';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { claimHold } from '../../src/storage/tables/holds.ts';
import { findHoldsOfUser } from '../../src/storage/tables/holds_to_join.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { SYNAPSE_DEFAULT_RATES } from '../support/stub/limits.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { app, bob, start } from './each_test.ts';
import { ask, loginsOf, MINUTE, PASSWORD, post, STEP, signIn, submit } from './support.ts';

/** Not equal to a sign-in by name: the homeserver is asked. */
function signInByAddress(): Promise<Response> {
  return post(app, LOGIN, {
    type: 'm.login.password',
    identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'bob@example.org' },
    password: PASSWORD,
  });
}

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  test('attack 108: fifty sign-ins with the password alone cost one login, and the owner gets in meanwhile', async () => {
    await start({
      personality,
      loginRates: SYNAPSE_DEFAULT_RATES,
      config: 'trusted_proxies: [127.0.0.1]',
    });
    const strangers = [];
    for (let turn = 0; turn < 50; turn++) {
      const from = { 'X-Forwarded-For': `192.0.2.${turn}` };
      const prefix = turn % 2 === 0 ? 'v3' : 'r0';
      const wishes: JsonObject = turn % 3 === 0 ? { device_id: `D${turn}` } : {};
      if (turn % 5 === 0) wishes.initial_device_display_name = `stranger ${turn}`;
      const path = `/_matrix/client/${prefix}/login`;
      strangers.push(await post(app, path, passwordLogin('bob', PASSWORD, wishes), from));
      if (turn === 25) {
        const owner = await submit(app, await signIn(app, 'bob'), app.code(bob));
        expect(owner.status).toBe(200);
        expect(app.stub.isLive(owner.body.access_token)).toBe(true);
      }
    }
    expect(strangers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 401));
    // One before the owner took it, one after.
    expect(loginsOf(app)).toHaveLength(2);
    app.clock.advance(STEP);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  });
});

test('R12: equal sign-ins at the same moment make one login, and each has a session of its own', async () => {
  await start();
  const answers = await Promise.all(Array.from({ length: 20 }, () => signIn(app, 'bob')));
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 401));
  expect(new Set(answers.map(({ body }) => body.session)).size).toBe(20);
  expect(loginsOf(app)).toHaveLength(1);
});

test('R12: equal sign-ins at the moment at which one of them finishes make one more login, not many', async () => {
  await start();
  const field = `${PASSWORD} ${app.code(bob)}`;
  const answers = await Promise.all([
    signIn(app, 'bob', field),
    ...Array.from({ length: 10 }, () => signIn(app, 'bob')),
  ]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(loginsOf(app).length).toBeLessThanOrEqual(2);
});

test('R12: joining does not prolong', async () => {
  await start();
  await signIn(app, 'bob');
  for (let minutes = 1; minutes < 5; minutes++) {
    app.clock.advance(MINUTE);
    await signIn(app, 'bob');
  }
  expect(loginsOf(app)).toHaveLength(1);
  app.clock.advance(MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
  await signIn(app, 'bob');
  expect(loginsOf(app)).toHaveLength(2);
});

test('R12: a held login whose token the homeserver has ended is not joined, and ends', async () => {
  await start();
  const first = await signIn(app, 'bob');
  app.stub.state.deleteAllDevices(bob.userId);
  app.clock.advance(MINUTE);
  const answer = await submit(app, await signIn(app, 'bob'), app.code(bob));
  expect([answer.status, app.stub.isLive(answer.body.access_token)]).toEqual([200, true]);
  expect(loginsOf(app)).toHaveLength(2);
  expect((await ask(app, first)).body.session).not.toBe(first.body.session);
});

test('R12: it is not joined either where its user has used up the logins that may wait', async () => {
  await start({
    users: [{ name: 'bob', password: PASSWORD, emails: ['bob@example.org'] }],
    config: 'limits: { sign_in_per_user: { per_second: 0.0001, burst_count: 1 } }',
  });
  await signIn(app, 'bob');
  app.stub.state.deleteAllDevices(bob.userId);
  app.clock.advance(MINUTE);
  const answer = await submit(app, await signInByAddress(), app.code(bob));
  expect([answer.status, app.stub.isLive(answer.body.access_token)]).toEqual([200, true]);
});

test('R12: one whose token is good is joined, and also where the homeserver does not say', async () => {
  await start();
  await signIn(app, 'bob');
  app.stub.clear();
  await signIn(app, 'bob');
  expect(app.stub.requests).toEqual([]);
  app.clock.advance(MINUTE);
  const restore = app.stub.override(/account\/whoami/, () => ({ status: 503, body: {} }));
  expect((await signIn(app, 'bob')).status).toBe(401);
  restore();
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  expect(loginsOf(app)).toEqual([]);
});

test('attack 72: a login whose finisher lost the store keeps the owner out of no other', async () => {
  await start();
  await signIn(app, 'bob');
  const [held] = await app.storage.read(findHoldsOfUser(bob.userId));
  // As a login of its own leaves it (R5), where the store is gone before the claim is given up.
  const claim = claimHold(held?.id ?? '', 'cut off', app.clock.now() + MINUTE);
  expect(await app.storage.commit([bob.userId], claim)).toBeDefined();
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
});

test('R12: the first who finishes takes the hold, the others get a fresh challenge', async () => {
  await start();
  const challenges = [await signIn(app, 'bob'), await signIn(app, 'bob'), await signIn(app, 'bob')];
  const [first, second, third] = challenges;
  if (!first || !second || !third) throw new Error('three sign-ins');
  expect((await submit(app, second, app.code(bob))).status).toBe(200);
  for (const late of [first, third]) {
    const answer = await ask(app, late);
    expect(answer.status).toBe(401);
    expect(answer.body.session).not.toBe(late.body.session);
  }
});

test('R12: a client that retries every ten seconds costs one login and no failure (weechat)', async () => {
  await start();
  for (let times = 0; times < 12; times++) {
    expect((await signIn(app, 'bob')).status).toBe(401);
    app.clock.advance(10_000);
  }
  expect(loginsOf(app)).toHaveLength(1);
  expect(await app.storage.read(lanesOf(bob.userId))).toEqual([]);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
});

describe('attack 115: never the wrong hold', () => {
  test('attack 115: another identifier form of the same user is judged by the homeserver and shares the user', async () => {
    await start({ users: [{ name: 'bob', password: PASSWORD, emails: ['bob@example.org'] }] });
    await signIn(app, 'bob');
    const byAddress = await signInByAddress();
    expect(byAddress.status).toBe(401);
    expect(loginsOf(app)).toHaveLength(2);
    const answer = await submit(app, byAddress, app.code(bob));
    expect(answer.body.user_id).toBe('@bob:localhost');
  });

  test('attack 115: a wrong password always goes to the homeserver', async () => {
    await start();
    await signIn(app, 'bob');
    for (const wrong of ['wrong', `${PASSWORD} `, PASSWORD.toUpperCase(), '']) {
      app.stub.clear();
      const answer = await signIn(app, 'bob', wrong);
      expect(answer.status).toBe(403);
      expect(loginsOf(app)).toHaveLength(1);
    }
  });

  test('attack 115: after a change of password the old one joins nothing', async () => {
    await start();
    await signIn(app, 'bob');
    const { token } = app.stub.signIn('bob');
    const changed = await app.post(
      '/_matrix/client/v3/account/password',
      {
        new_password: 'a new one',
        auth: {
          type: 'm.login.password',
          identifier: { type: 'm.id.user', user: 'bob' },
          password: `${PASSWORD} ${app.code(bob)}`,
        },
      },
      token,
    );
    expect(changed.status).toBe(200);
    app.stub.clear();
    expect((await signIn(app, 'bob')).status).toBe(403);
    expect(loginsOf(app)).toHaveLength(1);
  });

  test('attack 115: after its end nothing joins', async () => {
    await start();
    await signIn(app, 'bob');
    app.clock.advance(5 * MINUTE);
    await signIn(app, 'bob');
    expect(loginsOf(app)).toHaveLength(2);
  });

  test('attack 115: a differing refresh_token does not join', async () => {
    await start();
    const without = await signIn(app, 'bob');
    const wanted = await signIn(app, 'bob', PASSWORD, { refresh_token: true });
    expect(loginsOf(app)).toHaveLength(2);
    expect((await submit(app, without, app.code(bob))).body).not.toHaveProperty('refresh_token');
    app.clock.advance(STEP);
    expect((await submit(app, wanted, app.code(bob))).body).toHaveProperty('refresh_token');
  });

  test('attack 115: another user with the same password has a hold of their own', async () => {
    await start();
    const carol = await app.enrol('alice');
    await signIn(app, 'bob');
    const hers = await signIn(app, 'alice');
    expect(loginsOf(app)).toHaveLength(2);
    expect((await submit(app, hers, app.code(carol))).body.user_id).toBe('@alice:localhost');
  });
});

test('attack 108: other spellings of one name make few logins, and shut no one out', async () => {
  await start();
  const spellings = [
    'bob',
    'BOB',
    'Bob',
    'bOb',
    'boB',
    '@bob:localhost',
    '@BOB:localhost',
    'BoB',
    'BOb',
    'bOB',
  ];
  for (const spelling of spellings) {
    for (let times = 0; times < 3; times++) expect((await signIn(app, spelling)).status).toBe(401);
  }
  expect(loginsOf(app).length).toBeLessThanOrEqual(2);
  const owner = await submit(app, await signIn(app, 'bob'), app.code(bob));
  expect(owner.status).toBe(200);
});

test('attack 108: keys that no homeserver reads in an identifier make no further logins', async () => {
  await start({
    users: [{ name: 'bob', password: PASSWORD, emails: ['bob@example.org'], phones: ['49123'] }],
  });
  for (let turn = 0; turn < 20; turn++) {
    const junk = { junk: turn, country: `X${turn}` };
    for (const identifier of [
      { type: 'm.id.thirdparty', medium: 'email', address: 'bob@example.org', ...junk },
      { type: 'm.id.user', user: 'bob', ...junk },
    ]) {
      const answer = await post(app, LOGIN, {
        type: 'm.login.password',
        identifier,
        password: PASSWORD,
        junk: turn,
      });
      expect(answer.status).toBe(401);
    }
  }
  expect(loginsOf(app).length).toBeLessThanOrEqual(4);
});

test('login tokens of some people do not use up those of others', async () => {
  await start();
  for (let turn = 0; turn < 15; turn++) {
    const answer = await post(app, LOGIN, { type: 'm.login.token', token: app.stub.mintLoginToken('bob') });
    expect(answer.status).toBe(401);
  }
  const alice = await post(app, LOGIN, { type: 'm.login.token', token: app.stub.mintLoginToken('alice') });
  expect(alice.status).toBe(200);
});
