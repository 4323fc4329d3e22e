import { describe, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin } from '../support/app.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { app, bob, start } from './each_test.ts';
import { ask, loginsOf, PASSWORD, post, RECOVERY, STEP, signIn, submit, TOTP } from './support.ts';

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  const prefixes = PERSONALITIES[personality].routing.prefixes.login;

  test.each(prefixes)('attack 1: the password alone opens nothing under %s', async (prefix) => {
    await start({ personality });
    const answer = await post(app, `/_matrix/client/${prefix}/login`, passwordLogin('bob', PASSWORD));

    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({
      flows: [{ stages: ['m.login.password', TOTP] }, { stages: ['m.login.password', RECOVERY] }],
      completed: ['m.login.password'],
      params: {},
    });
    const [held] = app.stub.liveTokens('bob');
    expect(answer.text).not.toContain(held);
    expect(answer.body).not.toHaveProperty('device_id');
  });

  test('password and code sign in with one login at the homeserver, and the code goes no further', async () => {
    await start({ personality });
    const challenge = await signIn(app, 'bob');
    const code = app.code(bob);
    const answer = await submit(app, challenge, code);

    expect(answer.status).toBe(200);
    expect(answer.body.user_id).toBe('@bob:localhost');
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
    expect(app.stub.devicesOf('bob')).toHaveLength(1);
    expect(app.stub.requests).toHaveLength(1);
    expect(String(app.stub.requests[0]?.bytes)).not.toContain(code);
    expect(app.stub.requests[0]?.json).toEqual(passwordLogin('bob', PASSWORD));
  });

  test('a recovery code signs in', async () => {
    await start({ personality });
    const answer = await submit(app, await signIn(app, 'bob'), bob.recoveryCodes[0], RECOVERY);
    expect(answer.status).toBe(200);
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
  });

  test('a wrong code opens nothing; the next right one does, in the same session', async () => {
    await start({ personality });
    const challenge = await signIn(app, 'bob');
    const wrong = await submit(app, challenge, app.wrongCode(bob));
    expect(wrong.status).toBe(401);
    expect(wrong.body).toMatchObject({ errcode: 'M_FORBIDDEN', session: challenge.body.session });
    expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
    expect(loginsOf(app)).toHaveLength(1);
  });
});

test('R7: {session} alone answers the present state, as often as it is asked', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const { errcode: _errcode, error: _error, ...state } = challenge.body;
  for (let times = 0; times < 3; times++) {
    const answer = await ask(app, challenge);
    expect(answer.status).toBe(401);
    expect(answer.body).toEqual(state);
  }
  expect(app.stub.requests).toHaveLength(1);
});

test('R7: a finished stage is not retried and a stage out of order is a 401 that costs nothing', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const again = await post(app, LOGIN, {
    auth: { type: 'm.login.password', session: challenge.body.session, password: 'wrong' },
  });
  expect(again.status).toBe(401);
  expect(again.body.completed).toEqual(['m.login.password']);
  expect(app.stub.requests).toHaveLength(1);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});

test('the last request may repeat the whole body', async () => {
  await start();
  const body = passwordLogin('bob', PASSWORD, { initial_device_display_name: 'laptop' });
  const challenge = await post(app, LOGIN, body);
  const auth = { type: TOTP, session: challenge.body.session, token: app.code(bob) };
  expect((await post(app, LOGIN, { ...body, auth })).status).toBe(200);
});

test('attack 28: the session of one user with the login body of another releases nothing', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const auth = { type: TOTP, session: challenge.body.session, token: app.code(bob) };
  const answer = await post(app, LOGIN, { ...passwordLogin('alice', PASSWORD), auth });
  expect(answer.status).toBe(403);
  expect(answer.body.errcode).toBe('M_FORBIDDEN');
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});

test('attack 29: a code counts for the user of the session only', async () => {
  await start();
  app.stub.addUser({ name: 'mallory', password: 'hers' });
  const mallory = await app.enrol('mallory');
  const victims = await signIn(app, 'bob');
  const hers = await signIn(app, 'mallory', 'hers');

  expect((await submit(app, victims, app.code(mallory))).status).toBe(401);
  expect((await submit(app, hers, app.code(mallory))).body.user_id).toBe('@mallory:localhost');
  expect((await ask(app, victims)).status).toBe(401);
});

test('attack 93: a code of one account is nothing to an account that looks alike', async () => {
  await start();
  for (const name of ['bob.', 'Bob', 'b0b']) {
    app.stub.addUser({ name, password: `of ${name}` });
    const other = await app.enrol(name);
    const challenge = await post(app, LOGIN, {
      ...passwordLogin(`@${name}:localhost`, `of ${name}`),
    });
    // Not every server can log such a name in; none of them hands out bob.
    if (challenge.status !== 401) continue;
    expect((await submit(app, challenge, app.code(bob))).status).toBe(401);
    const own = await submit(app, challenge, app.code(other));
    expect(own.body.user_id).toBe(`@${name}:localhost`);
  }
  expect(app.stub.liveTokens('bob')).toEqual([]);
});

test('attack 30: two parallel finals with a right code give exactly one token', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const code = app.code(bob);
  const answers = await Promise.all([submit(app, challenge, code), submit(app, challenge, code)]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  const winner = answers.find(({ status }) => status === 200);
  expect(app.stub.isLive(winner?.body.access_token)).toBe(true);
});

test.each([
  ['device_id', { device_id: 'OTHER' }],
  ['user', { identifier: { type: 'm.id.user', user: 'alice' } }],
  ['password', { password: 'another' }],
  ['refresh_token', { refresh_token: true }],
])('attack 31: another %s in the final request is refused', async (_what, change) => {
  await start();
  const body = passwordLogin('bob', PASSWORD, { device_id: 'MINE' });
  const challenge = await post(app, LOGIN, body);
  const auth = { type: TOTP, session: challenge.body.session, token: app.code(bob) };
  const answer = await post(app, LOGIN, { ...body, ...change, auth });
  expect(answer.status).toBe(403);
  expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).not.toContain('OTHER');
  expect(app.stub.devicesOf('bob').map(({ deviceId }) => deviceId)).not.toContain('MINE');
});

test.each([
  [{ type: 'm.login.token', token: 'x' }],
  [{ type: 'm.login.application_service' }],
  [{ type: 'org.matrix.login.jwt', token: 'x' }],
])('attack 32: another login type in the final request is refused: %j', async (change) => {
  await start();
  const body = passwordLogin('bob', PASSWORD);
  const challenge = await post(app, LOGIN, body);
  const auth = { type: TOTP, session: challenge.body.session, token: app.code(bob) };
  const answer = await post(app, LOGIN, { ...body, ...change, auth });
  expect(answer.status).toBe(403);
  expect(loginsOf(app)).toHaveLength(1);
});

test('a session of one prefix is nothing under another', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const auth = { type: TOTP, session: challenge.body.session, token: app.code(bob) };
  expect((await post(app, '/_matrix/client/r0/login', { auth })).status).toBe(403);
});

test('an unknown session gets a challenge that tells nothing of anyone, and nothing goes upstream', async () => {
  await start();
  for (const session of ['m2fa_AAAAAAAAAAAAAAAAAAAAAAAAAAA', 'synapse_session', '"><script>']) {
    const answer = await post(app, LOGIN, { auth: { session, type: TOTP, token: app.code(bob) } });
    expect(answer.status).toBe(401);
    expect(answer.body.errcode).toBe('M_FORBIDDEN');
    expect(answer.body.session).not.toBe(session);
  }
  expect(app.stub.requests).toEqual([]);
  // Nothing was judged: the code is still good.
  expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
});

test('a finished session is over: it opens nothing a second time', async () => {
  await start();
  const challenge = await signIn(app, 'bob');
  const first = await submit(app, challenge, app.code(bob));
  const again = await ask(app, challenge);
  expect(again.status).toBe(401);
  expect(again.text).not.toContain(first.body.access_token);
  expect(app.stub.liveTokens('bob')).toEqual([first.body.access_token]);
});

test('a client that knows only the password shares the hold but never the session, and nothing of what the owner proves', async () => {
  await start();
  const strangers = await signIn(app, 'bob');
  const owners = await signIn(app, 'bob');
  expect(owners.body.session).not.toBe(strangers.body.session);
  expect(loginsOf(app)).toHaveLength(1);

  const owner = await submit(app, owners, app.code(bob));
  expect(owner.status).toBe(200);
  const stranger = await ask(app, strangers);
  expect(stranger.status).toBe(401);
  expect(stranger.body.completed).toEqual(['m.login.password']);
  // Bob's session began again, with a hold of its own: another code is needed.
  app.clock.advance(STEP);
  expect((await submit(app, stranger, app.wrongCode(bob))).status).toBe(401);
});
