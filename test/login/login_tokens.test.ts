import { describe, expect, test } from '@jest/globals';
import type { Response } from 'supertest';
import { LOGIN } from '../support/app.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { app, bob, start } from './each_test.ts';
import { failCommits, loginsOf, MINUTE, PASSWORD, post, STEP, submit } from './support.ts';

function redeem(token: string, more = {}): Promise<Response> {
  return post(app, LOGIN, { type: 'm.login.token', token, ...more });
}

/** Has the homeserver issue a login token to a device of bob's, with the password and a code. */
async function issuedUnderTwoFactor(): Promise<string> {
  const { token } = app.stub.signIn('bob');
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'bob' },
    password: `${PASSWORD} ${app.code(bob)}`,
  };
  const { json } = await app.post('/_matrix/client/v1/login/get_token', { auth }, token);
  return String(json.login_token);
}

const personalities: PersonalityName[] = ['synapse', 'tuwunel', 'continuwuity'];

describe.each(personalities)('in front of %s', (personality) => {
  test('attack 36: a login token that was not issued under 2FA leads to a challenge', async () => {
    await start({ personality });
    const challenge = await redeem(app.stub.mintLoginToken('bob'));
    expect(challenge.status).toBe(401);
    expect(challenge.body).toMatchObject({
      flows: [
        { stages: ['m.login.token', 'm.login.2fa.totp'] },
        { stages: ['m.login.token', 'm.login.2fa.recovery'] },
      ],
      completed: ['m.login.token'],
    });
    const answer = await submit(app, challenge, app.code(bob));
    expect(answer.status).toBe(200);
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
    expect(loginsOf(app)).toHaveLength(1);
  });

  test('attack 36: one that was issued under 2FA signs in another device, once', async () => {
    await start({ personality });
    const loginToken = await issuedUnderTwoFactor();
    const answer = await redeem(loginToken, { device_id: 'QR' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ user_id: '@bob:localhost', device_id: 'QR' });
    expect((await redeem(loginToken)).status).toBe(403);
  });
});

test('attack 36: no other token rides on the one that was issued under 2FA', async () => {
  await start();
  await issuedUnderTwoFactor();
  expect((await redeem(app.stub.mintLoginToken('bob'))).status).toBe(401);
});

test('attack 36: a token that was issued under 2FA counts in its time only', async () => {
  await start();
  const loginToken = await issuedUnderTwoFactor();
  // A homeserver that takes it for longer than it said.
  const known = app.stub.state.loginTokens.get(loginToken);
  app.stub.state.loginTokens.set(loginToken, {
    userId: known?.userId ?? '',
    expiresAt: app.clock.now() + 60 * MINUTE,
  });
  app.clock.advance(3 * MINUTE);
  expect((await redeem(loginToken)).status).toBe(401);
});

test('attack 36: a token that was issued under 2FA counts for that user only', async () => {
  await start();
  const loginToken = await issuedUnderTwoFactor();
  app.stub.addUser({ name: 'carol', password: 'hers' });
  await app.enrol('carol');
  app.stub.state.loginTokens.set(loginToken, {
    userId: '@carol:localhost',
    expiresAt: app.clock.now() + MINUTE,
  });
  expect((await redeem(loginToken)).status).toBe(401);
});

test('attack 36: get_token itself needs the second factor', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  for (const path of ['v1/login/get_token', 'unstable/org.matrix.msc3882/login/token']) {
    const auth = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'bob' },
      password: PASSWORD,
    };
    const answer = await app.post(`/_matrix/client/${path}`, { auth }, token);
    expect(answer.status).toBe(401);
    expect(answer.json).not.toHaveProperty('login_token');
  }
  expect(app.stub.state.loginTokens.size).toBe(0);
});

test('a login token of a user without 2FA works as ever', async () => {
  await start();
  const answer = await redeem(app.stub.mintLoginToken('alice'), { device_id: 'WEB' });
  expect(answer.status).toBe(200);
  expect(answer.body.device_id).toBe('WEB');
  expect(loginsOf(app)).toHaveLength(1);
});

test('client quirk: an identifier beside a login token is ignored (nheko, mautrix)', async () => {
  await start();
  const identifier = { type: 'm.id.user', user: 'alice' };
  const gated = await redeem(app.stub.mintLoginToken('bob'), { identifier });
  expect(gated.status).toBe(401);
  const answer = await submit(app, gated, app.code(bob));
  expect(answer.body.user_id).toBe('@bob:localhost');
  app.clock.advance(STEP);
  expect(
    (await redeem(app.stub.mintLoginToken('alice'), { identifier: { type: 'm.id.user', user: 'bob' } }))
      .status,
  ).toBe(200);
});

test('a guessed login token is the refusal of the homeserver', async () => {
  await start();
  const answer = await redeem('guessed');
  expect(answer.status).toBe(403);
  expect(app.stub.liveTokens('bob')).toEqual([]);
});

test('a passed login token whose freshness cannot be kept opens nothing and leaves nothing', async () => {
  await start();
  const loginToken = await issuedUnderTwoFactor();
  const before = app.stub.liveTokens('bob');
  failCommits(app, 'INSERT INTO fresh_logins', new Error('disk full'));
  expect((await redeem(loginToken)).status).toBe(500);
  expect(app.stub.liveTokens('bob')).toEqual(before);
});

test('a login with a token that was issued under 2FA gets the bytes of the homeserver', async () => {
  await start();
  const loginToken = await issuedUnderTwoFactor();
  let sent = '';
  app.stub.override(/POST .*\/login$/, () => {
    const { token, deviceId, userId } = app.stub.signIn('bob');
    sent = `{ "device_id" :"${deviceId}",  "user_id":"${userId}","access_token":"${token}", "org.example": 1.0 }`;
    return { status: 200, body: sent, headers: { 'content-type': 'application/json' } };
  });
  const answer = await redeem(loginToken);
  expect(answer.status).toBe(200);
  expect(answer.text).toBe(sent);
});
