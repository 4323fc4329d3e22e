import { describe, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { call } from '../support/http.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { app, bob, start } from './each_test.ts';
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
} from './support.ts';

/** A device of bob's with keys, as a client in use has them. */
async function deviceInUse(deviceId = 'PHONE'): Promise<string> {
  const { token } = app.stub.signIn('bob', deviceId);
  await call(app.stub.url, {
    target: '/_matrix/client/v3/keys/upload',
    token,
    json: { device_keys: { keys: { [`ed25519:${deviceId}`]: 'key' } } },
  });
  return token;
}

function hasKeys(deviceId = 'PHONE'): boolean {
  return app.stub.devicesOf('bob').some((device) => device.deviceId === deviceId && device.deviceKeys);
}

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  test('attack 27: without the second factor a device that is in use keeps its token and its keys', async () => {
    await start({ personality });
    const token = await deviceInUse();
    const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
    expect(challenge.status).toBe(401);
    expect(app.stub.isLive(token)).toBe(true);
    expect(loginsOf(app).map(({ json }) => json?.device_id)).toEqual([undefined]);

    app.clock.advance(6 * MINUTE);
    await app.proxy.keepHouse();
    expect(app.stub.isLive(token)).toBe(true);
    expect(hasKeys()).toBe(true);
    expect(app.stub.devicesOf('bob')).toHaveLength(1);
  });

  test('R5: after the second factor the client gets the device it asked for, and the held one goes', async () => {
    await start({ personality });
    await deviceInUse();
    const challenge = await signIn(app, 'bob', PASSWORD, {
      device_id: 'PHONE',
      initial_device_display_name: 'my phone',
    });
    const answer = await submit(app, challenge, app.code(bob));
    expect(answer.status).toBe(200);
    expect(answer.body.device_id).toBe('PHONE');
    await app.proxy.keepHouse();
    expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['PHONE']);
    expect(app.stub.isLive(answer.body.access_token)).toBe(true);
    expect(hasKeys()).toBe(true);
    expect(loginsOf(app)).toHaveLength(2);
  });

  test('R5: an appended code reaches the device in one request of the client', async () => {
    await start({ personality });
    const answer = await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`, { device_id: 'PHONE' });
    expect(answer.status).toBe(200);
    expect(answer.body.device_id).toBe('PHONE');
    expect(loginsOf(app).map(({ json }) => json?.password)).toEqual([PASSWORD, PASSWORD]);
  });

  test('attack 14: a device_id in another spelling of the key does not come through either', async () => {
    await start({ personality });
    const token = await deviceInUse();
    for (const key of ['Device_ID', 'DEVICE_ID', 'device_ıd', 'deviſe_id']) {
      await signIn(app, 'bob', PASSWORD, { [key]: 'PHONE' });
      app.clock.advance(6 * MINUTE);
      await app.proxy.keepHouse();
      expect(app.stub.isLive(token)).toBe(true);
      expect(hasKeys()).toBe(true);
    }
    expect(loginsOf(app).flatMap(({ json }) => Object.keys(json ?? {}))).not.toContain('DEVICE_ID');
  });

  test('R5: a user without 2FA keeps the device they ask for at the cost of one login', async () => {
    await start({ personality });
    const answer = await signIn(app, 'alice', PASSWORD, { device_id: 'LAPTOP' });
    expect(answer.body.device_id).toBe('LAPTOP');
    expect(loginsOf(app)).toHaveLength(1);
  });
});

test('R5: without a device_id there is no second login', async () => {
  await start();
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  expect(loginsOf(app)).toHaveLength(1);
});

describe.each([
  ['a session of native UIA', false],
  ['the same request with its spent code', true],
])('attack 107: 429 on the second login, then %s', (_door, isAppended) => {
  test('attack 107: the hold and the passed factor stay; no new code is needed', async () => {
    await start();
    const field = isAppended ? `${PASSWORD} ${app.code(bob)}` : PASSWORD;
    const first = () => signIn(app, 'bob', field, { device_id: 'PHONE' });
    const challenge = isAppended ? undefined : await first();
    let limited = true;
    app.stub.override(/POST .*\/login$/, (exchange, next) => {
      const asksForDevice = exchange.bytes.includes('PHONE');
      if (!limited || !asksForDevice) return next();
      return {
        status: 429,
        body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 7000 },
        headers: { 'retry-after': '7' },
      };
    });
    const code = app.code(bob);
    const waiting = challenge === undefined ? await first() : await submit(app, challenge, code);
    expect(waiting.status).toBe(429);
    expect(waiting.body).toMatchObject({ errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 7000 });
    expect(waiting.headers['retry-after']).toBe('7');

    limited = false;
    app.clock.advance(2 * STEP);
    const answer = challenge === undefined ? await first() : await ask(app, challenge);
    expect(answer.status).toBe(200);
    expect(answer.body.device_id).toBe('PHONE');
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
  });
});

test('attack 107: another user with the password and another code gets nothing of the passed factor', async () => {
  await start();
  app.stub.override(/POST .*\/login$/, (exchange, next) =>
    exchange.bytes.includes('PHONE') ? { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } } : next(),
  );
  const field = `${PASSWORD} ${app.code(bob)}`;
  expect((await signIn(app, 'bob', field, { device_id: 'PHONE' })).status).toBe(429);
  for (const body of [
    passwordLogin('bob', PASSWORD),
    passwordLogin('bob', PASSWORD, { device_id: 'PHONE' }),
    passwordLogin('bob', `${PASSWORD} ${app.wrongCode(bob)}`, { device_id: 'PHONE' }),
    passwordLogin('bob', field),
  ]) {
    const answer = await post(app, LOGIN, body);
    expect(answer.status).toBe(401);
  }
});

test('attack 359: the store fails behind the second login to a device in use: its keys stay', async () => {
  await start();
  await deviceInUse();
  const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
  const heal = failCommits(app, 'INSERT INTO fresh_logins', new Error('disk full'));
  expect((await submit(app, challenge, app.code(bob))).status).toBe(500);
  expect(hasKeys()).toBe(true);
  heal();
  const answer = await ask(app, challenge);
  expect([answer.status, answer.body.device_id]).toEqual([200, 'PHONE']);
  expect(hasKeys()).toBe(true);
});

test('R5: a homeserver that refuses the device after the code ends the sign-in', async () => {
  await start();
  const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'x'.repeat(5000) });
  const answer = await submit(app, challenge, app.code(bob));
  expect(answer.status).toBe(403);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
});

test('R5: a homeserver that answers the second login without a token: what was passed stays for the next try', async () => {
  await start();
  const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
  let isOdd = true;
  app.stub.override(/POST .*\/login$/, (_exchange, next) =>
    isOdd ? { status: 200, body: { user_id: bob.userId } } : next(),
  );
  const odd = await submit(app, challenge, app.code(bob));
  expect(odd.status).toBe(502);
  expect(odd.body.errcode).toBe('M_UNKNOWN');
  isOdd = false;
  const answer = await ask(app, challenge);
  expect(answer.status).toBe(200);
  expect(answer.body.device_id).toBe('PHONE');
});

test('R5: a login token that is left alone leaves the keys of a device that is in use', async () => {
  await start();
  const token = await deviceInUse();
  const answer = await post(app, LOGIN, {
    type: 'm.login.token',
    token: app.stub.mintLoginToken('bob'),
    device_id: 'PHONE',
  });
  expect(answer.status).toBe(401);
  app.clock.advance(6 * MINUTE);
  await app.proxy.keepHouse();
  expect(hasKeys()).toBe(true);
  expect(app.stub.isLive(token)).toBe(true);
});

test('R5: a store that fails after a login token was redeemed costs no keys', async () => {
  await start();
  const token = await deviceInUse();
  failToHold(app, new Error('disk full'));
  const login = { type: 'm.login.token', token: app.stub.mintLoginToken('bob'), device_id: 'PHONE' };
  expect((await post(app, LOGIN, login)).status).toBe(500);
  expect(hasKeys()).toBe(true);
  expect(app.stub.isLive(token)).toBe(true);
  const other = { type: 'm.login.token', token: app.stub.mintLoginToken('bob'), device_id: 'NEW' };
  expect((await post(app, LOGIN, other)).status).toBe(500);
  expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).toEqual(['PHONE']);
});

test('R5: a login token on a device of its own is logged out at its end', async () => {
  await start();
  await post(app, LOGIN, {
    type: 'm.login.token',
    token: app.stub.mintLoginToken('bob'),
    device_id: 'NEW',
  });
  app.clock.advance(6 * MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.devicesOf('bob')).toEqual([]);
});

test('R5: a user without 2FA whose name folds to an enrolled one still gets their device and its name', async () => {
  await start();
  app.stub.addUser({ name: 'ALICE', password: 'of ALICE' });
  await app.enrol('ALICE');
  const named = { initial_device_display_name: 'tablet' };
  const fresh = await signIn(app, 'alice', PASSWORD, named);
  expect(fresh.status).toBe(200);
  expect(app.stub.devicesOf('alice').map(({ displayName }) => displayName)).toEqual(['tablet']);
  const chosen = await signIn(app, 'alice', PASSWORD, { ...named, device_id: 'TABLET' });
  expect(chosen.body.device_id).toBe('TABLET');
  expect(app.stub.liveTokens('alice').sort()).toEqual(
    [fresh.body.access_token, chosen.body.access_token].sort(),
  );
});
