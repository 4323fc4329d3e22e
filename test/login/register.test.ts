import { afterEach, describe, expect, test } from '@jest/globals';
import type { Response } from 'supertest';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { TestApp } from '../support/app.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { MINUTE, post, startSignIns, TOTP } from './support.ts';

let app: TestApp;

afterEach(() => app.stop());

async function start(...options: Parameters<typeof startSignIns>): Promise<void> {
  ({ app } = await startSignIns(...options));
}

const REGISTER = '/_matrix/client/v3/register';

function register(body: JsonObject, path = REGISTER): Promise<Response> {
  return post(app, path, body);
}

/** Registers `carl` and answers with the homeserver's session of it. */
async function registered(): Promise<{ session: string; token: string }> {
  const challenge = await register({ username: 'carl', password: 'his' });
  const session = String(challenge.body.session);
  const done = await register({
    username: 'carl',
    password: 'his',
    auth: { type: 'm.login.dummy', session },
  });
  return { session, token: String(done.body.access_token) };
}

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

describe.each(personalities)('in front of %s', (personality) => {
  test('someone new registers as ever, through the homeserver’s own stages', async () => {
    await start({ personality });
    const { token } = await registered();
    expect(app.stub.isLive(token)).toBe(true);
    expect(app.stub.requestsTo('register')).toHaveLength(2);
  });

  test('attack 37: a finished registration played again after 2FA was turned on hands out no token', async () => {
    await start({ personality });
    const { session, token } = await registered();
    const carl = await app.enrol('carl');
    const replay = await register({
      username: 'carl',
      password: 'his',
      device_id: 'EVIL',
      auth: { type: 'm.login.dummy', session },
    });
    expect([400, 401]).toContain(replay.status);
    expect(replay.body).not.toHaveProperty('access_token');
    for (const live of app.stub.liveTokens('carl')) expect(replay.text).not.toContain(live);
    if (replay.status === 401) {
      const auth = { type: TOTP, session: replay.body.session, token: app.code(carl) };
      const passed = await register({ auth });
      expect(passed.status).toBe(200);
      expect(app.stub.isLive(passed.body.access_token)).toBe(true);
    }
    expect(token).not.toBe('');
  });

  test('attack 104: a password stage is refused by us, however often', async () => {
    await start({ personality });
    const challenge = await register({ username: 'carl', password: 'his' });
    app.stub.clear();
    for (let guess = 0; guess < 50; guess++) {
      const auth = {
        type: 'm.login.password',
        session: challenge.body.session,
        identifier: { type: 'm.id.user', user: 'alice' },
        password: `guess ${guess}`,
      };
      const answer = await register({ username: 'carl', password: 'his', auth });
      expect([400, 401]).toContain(answer.status);
    }
    expect(app.stub.requests).toEqual([]);
  });

  test('attack 104: a password stage in another spelling of the keys is none', async () => {
    await start({ personality });
    const password = { type: 'm.login.password', user: 'alice', password: 'guess' };
    for (const body of [
      { username: 'carl', password: 'his', AUTH: password },
      { username: 'carl', password: 'his', auth: { type: 'm.login.dummy', TYPE: 'm.login.password' } },
    ]) {
      await register(body);
    }
    for (const { bytes } of app.stub.requests) expect(String(bytes)).not.toContain('m.login.password');
  });
});

test.each([
  'm.login.password',
  'm.login.token',
  'm.login.sso',
  'm.login.2fa.totp',
  'org.matrix.login.jwt',
  'M.LOGIN.DUMMY',
  'com.example.own',
])('attack 104: the stage %s has no place at a registration', async (type) => {
  await start();
  const answer = await register({ username: 'carl', password: 'his', auth: { type } });
  expect(answer.status).toBe(400);
  expect(app.stub.requests).toEqual([]);
});

test('attack 37: a replay that is left alone is logged out after its time', async () => {
  await start();
  const { session } = await registered();
  await app.enrol('carl');
  const before = app.stub.liveTokens('carl').length;
  const replay = { username: 'carl', password: 'his', auth: { type: 'm.login.dummy', session } };
  expect((await register(replay)).status).toBe(401);
  app.clock.advance(6 * MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('carl')).toHaveLength(before);
});

test('a registration with inhibit_login has nothing to hold', async () => {
  await start();
  const answer = await register({
    username: 'carl',
    password: 'his',
    inhibit_login: true,
    auth: { type: 'm.login.dummy' },
  });
  expect(answer.status).toBe(200);
  expect(answer.body).not.toHaveProperty('access_token');
});

test('attack 114: a guest is registered where the homeserver allows it, and is not a user with 2FA', async () => {
  await start({ personality: 'conduit' });
  const guest = await register({}, `${REGISTER}?kind=guest`);
  expect(guest.status).toBe(200);
  expect(guest.body.user_id).toMatch(/^@guest/);
  expect(app.stub.isLive(guest.body.access_token)).toBe(true);
});

test('attack 114: a guest registration that answers with a user who has 2FA is gated', async () => {
  await start({ personality: 'conduit' });
  app.stub.override('/register', () => ({
    status: 200,
    body: { user_id: '@bob:localhost', access_token: app.stub.signIn('bob').token, device_id: 'G' },
  }));
  const answer = await register({}, `${REGISTER}?kind=guest`);
  expect(answer.status).toBe(401);
  for (const live of app.stub.liveTokens('bob')) expect(answer.text).not.toContain(live);
});

test('attack 114: where the homeserver has no guests there are none', async () => {
  await start();
  expect((await register({}, `${REGISTER}?kind=guest`)).status).toBe(403);
});

test('attack 22: the token of an unlisted application service is an ordinary one: it goes nowhere', async () => {
  const applicationServices = [{ token: 'as_secret', senderLocalpart: 'bridge', prefix: 'irc_' }];
  await start({ applicationServices });
  const answer = await app.post(
    `${REGISTER}?user_id=@irc_x:localhost`,
    { type: 'm.login.application_service', username: 'irc_x' },
    'as_secret',
  );
  expect(answer.status).toBe(401);
  const [arrived] = app.stub.requests;
  expect(arrived?.target).toBe(REGISTER);
  expect(arrived?.headers.authorization).toBeUndefined();
});

test('a session of a sign-in is nothing at a registration', async () => {
  await start();
  const challenge = await post(app, '/_matrix/client/v3/login', {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'bob' },
    password: 'correct horse',
  });
  app.stub.clear();
  const answer = await register({ auth: { type: TOTP, session: challenge.body.session, token: '123456' } });
  expect(answer.status).toBe(403);
  expect(app.stub.requests).toEqual([]);
});

test('a name that is taken, and a registration that is closed, are told as the homeserver does', async () => {
  await start();
  expect((await register({ username: 'alice', password: 'x' })).body.errcode).toBe('M_USER_IN_USE');
  app.stub.switches.registration = 'closed';
  expect((await register({ username: 'new', password: 'x' })).status).toBe(403);
});

test('an answer without a token is built again: a client never learns where the homeserver is', async () => {
  await start();
  app.stub.override(/POST .*\/register$/, () => ({
    status: 200,
    body: {
      user_id: '@carl:localhost',
      well_known: { 'm.homeserver': { base_url: 'https://homeserver.internal' } },
    },
  }));
  const answer = await register({ username: 'carl', password: 'his', inhibit_login: true });
  expect(answer.status).toBe(200);
  expect(answer.body).toEqual({
    user_id: '@carl:localhost',
    well_known: { 'm.homeserver': { base_url: 'https://matrix.example.org' } },
  });
});
