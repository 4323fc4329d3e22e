import { describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { app, bob, start } from '../login/each_test.ts';
import {
  ask,
  failCommits,
  failToHold,
  loginsOf,
  MINUTE,
  PASSWORD,
  post,
  STEP,
  signIn,
  submit,
} from '../login/support.ts';
import { countFailure } from '../storage/rows.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { countSessions } from '../support/rows.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  test('attack 25: a sign-in left alone is logged out at the end of its time, and its session opens nothing', async () => {
    await start({ personality });
    const challenge = await signIn(app, 'bob');
    const [held = ''] = app.stub.liveTokens('bob');
    app.clock.advance(5 * MINUTE - 1);
    await app.proxy.keepHouse();
    expect(app.stub.isLive(held)).toBe(true);

    app.clock.advance(1);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([]);
    expect(app.stub.devicesOf('bob')).toEqual([]);
    expect(app.stub.requestsTo('logout')).toHaveLength(1);
    expect((await submit(app, challenge, app.code(bob))).status).toBe(401);
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  test('attack 26: after a restart the sign-in can still be finished', async () => {
    await start({ personality });
    const challenge = await signIn(app, 'bob');
    const [held] = app.stub.liveTokens('bob');
    await app.shutDown();
    await app.start();
    const answer = await submit(app, challenge, app.code(bob));
    expect(answer.status).toBe(200);
    expect(answer.body.access_token).toBe(held);
    expect(loginsOf(app)).toHaveLength(1);
  });
});

test('attack 26: what another process left behind is logged out after its time', async () => {
  await start();
  await signIn(app, 'bob');
  await app.shutDown();
  app.clock.advance(6 * MINUTE);
  await app.start();
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
  expect(app.stub.requestsTo('logout')).toHaveLength(1);
});

test('R10: a homeserver that is down at the end of a hold is asked again until it answers', async () => {
  await start();
  await signIn(app, 'bob');
  app.clock.advance(6 * MINUTE);
  await app.stub.setDown('error');
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toHaveLength(1);

  await app.stub.setDown(undefined);
  app.clock.advance(2 * MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
});

test('R10: a hold is never longer than the life of its token', async () => {
  await start({ config: 'login: { hold_ttl: 30m }' });
  const challenge = await signIn(app, 'bob', PASSWORD, { refresh_token: true });
  app.clock.advance(5 * MINUTE);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(401);
  await app.proxy.keepHouse();
  expect(app.stub.requestsTo('logout')).toHaveLength(1);
  expect(app.stub.state.refreshTokens.size).toBe(0);
});

test('attack 35: a refresh token waits for the second factor; the time held is taken off the life', async () => {
  await start();
  const challenge = await signIn(app, 'bob', PASSWORD, { refresh_token: true });
  expect(challenge.text).not.toContain('stubr_');
  expect(challenge.body).not.toHaveProperty('refresh_token');
  app.clock.advance(2 * MINUTE);
  const answer = await submit(app, challenge, app.code(bob));
  expect(answer.status).toBe(200);
  expect(answer.body.expires_in_ms).toBe(3 * MINUTE);
  expect(answer.body.refresh_token).toMatch(/^stubr_/);
});

test('attack 35: a refresh token that was not asked for is not added', async () => {
  await start();
  const answer = await submit(app, await signIn(app, 'bob'), app.code(bob));
  expect(answer.body).not.toHaveProperty('refresh_token');
  expect(answer.body).not.toHaveProperty('expires_in_ms');
});

test('attack 39: 2FA turned on between the answer of the homeserver and ours gates that very login', async () => {
  await start();
  app.stub.override(/POST .*\/login$/, async (_exchange, next) => {
    const answer = next();
    await app.enrol('alice');
    return answer;
  });
  const answer = await signIn(app, 'alice');
  expect(answer.status).toBe(401);
  expect(answer.text).not.toContain(app.stub.liveTokens('alice')[0]);
});

test('attack 39: 2FA turned on during the second login that a device needs gates it too', async () => {
  await start();
  // `bob` of another spelling of the server is what makes the hint: here the enrolled one is a namesake.
  app.stub.addUser({ name: 'BOB', password: 'of BOB' });
  await app.storage.factors.removeAllFactors(bob.userId);
  await app.enrol('BOB');
  let logins = 0;
  app.stub.override(/POST .*\/login$/, async (_exchange, next) => {
    const answer = next();
    logins += 1;
    if (logins === 2) await app.enrol('bob');
    return answer;
  });
  const answer = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
  expect(logins).toBe(2);
  expect(answer.status).toBe(403);
  expect(app.stub.liveTokens('bob')).toEqual([]);
});

test('attack 39: 2FA turned off during a hold ends it', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  await app.storage.factors.removeAllFactors(bob.userId);
  const answer = await ask(app, challenge);
  expect([401, 403]).toContain(answer.status);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
  expect((await signIn(app, 'bob')).status).toBe(200);
});

test('R12: a change of factors ends the holds of that user and of nobody else', async () => {
  await start();
  app.stub.addUser({ name: 'carol', password: 'hers' });
  const carol = await app.enrol('carol');
  const hers = await signIn(app, 'carol', 'hers');
  const his = await signIn(app, 'bob');
  await app.enrol('bob');
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
  expect(app.stub.liveTokens('carol')).toHaveLength(1);
  expect((await submit(app, hers, app.code(carol))).status).toBe(200);
  expect((await submit(app, his, app.code(bob))).status).not.toBe(200);
});

test('a hold that ends at the moment it is finished gives nothing', async () => {
  await start();
  const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
  app.stub.override(/POST .*\/login$/, async (_exchange, next) => {
    const answer = next();
    // As a change of password or factors at this very moment does.
    await app.storage.factors.endProofs(bob.userId);
    return answer;
  });
  const answer = await submit(app, challenge, app.code(bob));
  expect(answer.status).toBe(401);
  app.clock.advance(10 * MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
});

describe('a store that fails on the way leaves no token behind', () => {
  const failing = async () => {
    throw new StoreUnavailable(new Error('gone'));
  };

  test('when what the user has enrolled cannot be looked up after the grant', async () => {
    await start();
    Object.assign(app.storage.factors, { owing: failing });
    const answer = await signIn(app, 'bob');
    expect(answer.status).toBe(503);
    Reflect.deleteProperty(app.storage.factors, 'owing');
    app.clock.advance(10 * MINUTE);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  test('when the hold cannot be kept', async () => {
    await start();
    failToHold(app, new StoreUnavailable(new Error('disk full')));
    expect((await signIn(app, 'bob')).status).toBe(503);
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  const gone = new StoreUnavailable(new Error('gone'));

  test.each(['INSERT INTO fresh_logins', '"does":"enter"', 'DELETE FROM sessions', 'DELETE FROM holds'])(
    'when a unit with %s fails at the release',
    async (sql) => {
      await start();
      const challenge = await signIn(app, 'bob');
      const bringBack = failCommits(app, sql, gone);
      expect((await submit(app, challenge, app.code(bob))).status).toBe(503);
      bringBack();
      app.clock.advance(10 * MINUTE);
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens('bob')).toEqual([]);
    },
  );

  test.each(['INSERT INTO fresh_logins', 'DELETE FROM sessions'])(
    'when a unit with %s fails after the second login of a device',
    async (sql) => {
      await start();
      const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
      const bringBack = failCommits(app, sql, gone);
      expect((await submit(app, challenge, app.code(bob))).status).toBe(503);
      bringBack();
      app.clock.advance(10 * MINUTE);
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens('bob')).toEqual([]);
    },
  );

  test('a release that failed is all or nothing: the session, its code and the login are still there', async () => {
    await start();
    const challenge = await signIn(app, 'bob');
    const bringBack = failCommits(app, 'INSERT INTO fresh_logins', gone);
    expect((await submit(app, challenge, app.code(bob))).status).toBe(503);
    bringBack();
    expect((await ask(app, challenge)).body.completed).toEqual(['m.login.password']);
    const answer = await submit(app, challenge, app.code(bob));
    expect(answer.status).toBe(200);
    expect(app.stub.isLive(answer.body.access_token)).toBe(true);
    expect(loginsOf(app)).toHaveLength(1);
  });
});

test('attack 145: a right code in a lane that waits asks the homeserver nothing, so that no time tells it', async () => {
  await start();
  const challenge = await signIn(app, 'bob', PASSWORD, { initial_device_display_name: 'phone' });
  const lane = (await app.storage.read(lanesOf(bob.userId)))[0];
  expect(lane).toBeUndefined();
  for (let turn = 0; turn < 5; turn++) await countFailure(app.storage, bob.userId);
  const asked = app.stub.requests.length;
  expect((await submit(app, challenge, app.code(bob))).status).toBe(429);
  expect(app.stub.requests).toHaveLength(asked);
  app.clock.advance(MINUTE);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
  expect(await app.storage.read(lanesOf(bob.userId))).toMatchObject([{ failures: 0, waitUntil: 0 }]);
});

test('attack 71: beyond the largest number the oldest hold and session go, and the hold is logged out', async () => {
  await start({ config: 'uia: { max_sessions: 2 }' });
  const users = ['u1', 'u2', 'u3'];
  for (const name of users) {
    app.stub.addUser({ name, password: PASSWORD });
    await app.enrol(name);
  }
  const challenges = [];
  for (const name of users) {
    challenges.push(await signIn(app, name));
    app.clock.advance(1);
  }
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('u1')).toEqual([]);
  expect(app.stub.liveTokens('u2')).toHaveLength(1);
  expect(app.stub.liveTokens('u3')).toHaveLength(1);
  expect(await countSessions(app.storage)).toBe(2);
});

test('the display name is set by the one who finishes, not by the hold', async () => {
  await start();
  const stranger = await signIn(app, 'bob', PASSWORD, { initial_device_display_name: 'evil' });
  expect(app.stub.devicesOf('bob').map(({ displayName }) => displayName)).toEqual([null]);
  expect(stranger.status).toBe(401);
  const owner = await signIn(app, 'bob', PASSWORD, { initial_device_display_name: 'laptop' });
  expect((await submit(app, owner, app.code(bob))).status).toBe(200);
  expect(app.stub.devicesOf('bob').map(({ displayName }) => displayName)).toEqual(['laptop']);
});

test('a homeserver that is away while the device is named keeps the hold and the passed factor', async () => {
  await start();
  const challenge = await signIn(app, 'bob', PASSWORD, { initial_device_display_name: 'laptop' });
  app.stub.override(/^PUT /, (exchange) => {
    exchange.response.destroy();
    return 'answered by hand';
  });
  expect((await submit(app, challenge, app.code(bob))).status).toBe(502);
  app.stub.override(/^PUT /, (_exchange, next) => next());
  const answer = await ask(app, challenge);
  expect(answer.status).toBe(200);
  expect(app.stub.isLive(answer.body.access_token)).toBe(true);
});

test('several authenticators: each may finish the sign-in', async () => {
  await start();
  const second = await app.enrol('bob');
  const challenge = await signIn(app, 'bob');
  expect((await submit(app, challenge, app.code(second))).status).toBe(200);
  app.clock.advance(STEP);
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  expect((await post(app, LOGIN, passwordLogin('bob', PASSWORD))).status).toBe(401);
});
