import { describe, expect, test } from '@jest/globals';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { app, bob, start } from './each_test.ts';
import { ask, loginsOf, PASSWORD, post, RECOVERY, STEP, signIn, submit, TOTP } from './support.ts';

test('client quirk: a legacy login without `auth` gets an errcode and a text that says what to do', async () => {
  await start();
  const { body } = await signIn(app, 'bob');
  expect(body.errcode).toBe('M_FORBIDDEN');
  expect(body.error).toMatch(/code/);
});

test('client quirk: with an `auth` key only a failed attempt carries an errcode', async () => {
  await start();
  const body = passwordLogin('bob', PASSWORD);
  const first = await post(app, LOGIN, { ...body, auth: { type: TOTP } });
  expect(first.status).toBe(401);
  expect(first.body).not.toHaveProperty('errcode');
  expect(await ask(app, first)).not.toHaveProperty('body.errcode');
  expect((await submit(app, first, app.wrongCode(bob))).body.errcode).toBe('M_FORBIDDEN');
});

test('client quirk: 401 bodies always carry session, flows, params and completed, as application/json', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const answers = [
    challenge,
    await ask(app, challenge),
    await submit(app, challenge, app.wrongCode(bob)),
    await post(app, LOGIN, { auth: { session: 'unknown' } }),
    await post(app, LOGIN, { ...passwordLogin('bob', PASSWORD), auth: { session: 'unknown', type: TOTP } }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(Object.keys(answer.body)).toEqual(
      expect.arrayContaining(['session', 'flows', 'params', 'completed']),
    );
    expect(answer.body.session).toMatch(/^m2fa_/);
    expect(answer.body.params).toEqual({});
  }
});

test('client quirk: the flows never change within a session (matrix-js-sdk fixes its flow once)', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  for (const code of bob.recoveryCodes) {
    expect((await submit(app, await signIn(app, 'bob'), code, RECOVERY)).status).toBe(200);
  }
  const later = await signIn(app, 'bob');
  expect(later.body.flows).toHaveLength(1);
  // The first session hung on a hold that is taken: it begins again, with the flows of now.
  const anew = await ask(app, challenge);
  expect(anew.body.session).not.toBe(challenge.body.session);
  expect(anew.body.flows).toHaveLength(1);
});

test('client quirk: `completed` follows the order of the flow', async () => {
  await start();
  const { body } = await signIn(app, 'bob');
  for (const { stages } of body.flows) expect(stages.slice(0, 1)).toEqual(body.completed);
});

test('client quirk: the legacy `user` with a full id instead of an identifier (mautrix-go, gomuks)', async () => {
  await start();
  const body = { type: 'm.login.password', user: '@bob:localhost', password: PASSWORD };
  const challenge = await post(app, LOGIN, body);
  expect(challenge.status).toBe(401);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
  app.clock.advance(STEP);
  const answer = await post(app, LOGIN, { ...body, password: `${PASSWORD} ${app.code(bob)}` });
  expect(answer.status).toBe(200);
});

test('client quirk: a one-shot without a session: password and code in one request', async () => {
  await start();
  const auth = { type: TOTP, token: app.code(bob) };
  const answer = await post(app, LOGIN, { ...passwordLogin('bob', PASSWORD), auth });
  expect(answer.status).toBe(200);
  expect(loginsOf(app).map(({ json }) => json)).toEqual([passwordLogin('bob', PASSWORD)]);
});

test('client quirk: a `session: null` in auth is absent (matrix-rust-sdk)', async () => {
  await start();
  const auth = { type: TOTP, session: null, token: app.code(bob) };
  expect((await post(app, LOGIN, { ...passwordLogin('bob', PASSWORD), auth })).status).toBe(200);
});

test('client quirk: a password login without a password is a plain 400 and no failure (Quaternion)', async () => {
  await start();
  for (const password of [undefined, null]) {
    const answer = await post(app, LOGIN, { ...passwordLogin('bob', ''), password });
    expect(answer.status).toBe(400);
    expect(answer.body).not.toHaveProperty('flows');
  }
  expect(app.stub.requests).toEqual([]);
  expect(await app.storage.read(lanesOf(bob.userId))).toEqual([]);
});

test('client quirk: a missing code is never a failure (weechat retries every ten seconds)', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  for (let times = 0; times < 10; times++) {
    await signIn(app, 'bob');
    for (const token of [undefined, null, '']) expect((await submit(app, challenge, token)).status).toBe(401);
  }
  expect(await app.storage.read(lanesOf(bob.userId))).toEqual([]);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});

describe('client quirk: a code as people type it', () => {
  test.each([
    (code: string) => `${code} `,
    (code: string) => ` ${code}`,
    (code: string) => `${code.slice(0, 3)} ${code.slice(3)}`,
  ])('attack 58: blanks have a defined result, case %#', async (typed) => {
    await start();
    const answer = await submit(app, await signIn(app, 'bob'), typed(app.code(bob)));
    expect([200, 401]).toContain(answer.status);
    if (answer.status === 401) expect(app.stub.liveTokens('bob')).toHaveLength(1);
  });
});

test('client quirk: every prefix counts: a session begun under r0 is finished under r0', async () => {
  await start();
  const path = '/_matrix/client/r0/login';
  const challenge = await post(app, path, passwordLogin('bob', PASSWORD));
  const auth = { type: TOTP, session: challenge.body.session, token: app.code(bob) };
  expect((await post(app, path, { auth })).status).toBe(200);
});

test('client quirk: matrix-rust-sdk replays its login password with the spent code at the first key upload', async () => {
  await start();
  const field = `${PASSWORD} ${app.code(bob)}`;
  const { body } = await signIn(app, 'bob', field);
  const keys = { master_key: { user_id: bob.userId, usage: ['master'], keys: { 'ed25519:a': 'a' } } };
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'bob' },
    password: field,
  };
  const path = '/_matrix/client/v3/keys/device_signing/upload';
  const token = String(body.access_token);
  expect((await app.post(path, { ...keys, auth }, token)).status).toBe(200);
  const other = { master_key: { ...keys.master_key, keys: { 'ed25519:b': 'b' } } };
  expect((await app.post(path, { ...other, auth }, token)).status).toBe(200);
  expect(app.stub.keysOf('bob').master?.keys).toEqual({ 'ed25519:b': 'b' });
});
