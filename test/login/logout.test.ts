import { expect, test } from '@jest/globals';
import { countSessions } from '../support/rows.ts';
import { app, bob, start } from './each_test.ts';
import { arrivals, ask, MINUTE, PASSWORD, post, signIn, submit } from './support.ts';

const CLIENT = '/_matrix/client/v3';

test('a logout ends the token and the sessions that hang on it', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  const challenge = await app.post(`${CLIENT}/delete_devices`, { devices: ['X'] }, token);
  expect(await countSessions(app.storage)).toBe(1);
  expect(challenge.status).toBe(401);
  await post(app, `${CLIENT}/logout`, {}, { authorization: `Bearer ${token}` });
  expect(app.stub.isLive(token)).toBe(false);
  expect(await countSessions(app.storage)).toBe(0);
});

test('R12: logout/all ends the holds and sessions of that user', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  const challenge = await signIn(app, 'bob');
  const answer = await post(app, `${CLIENT}/logout/all`, {}, { authorization: `Bearer ${token}` });
  expect(answer.status).toBe(200);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
  const late = await submit(app, challenge, app.code(bob));
  expect(late.status).toBe(401);
});

test('R12: the logout/all of another user ends nothing of this one', async () => {
  await start();
  const { token } = app.stub.signIn('alice');
  const challenge = await signIn(app, 'bob');
  await post(app, `${CLIENT}/logout/all`, {}, { authorization: `Bearer ${token}` });
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});

test('a logout that the homeserver refuses ends nothing here', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  const challenge = await signIn(app, 'bob');
  app.stub.failNext('/logout/all', { status: 500, body: { errcode: 'M_UNKNOWN', error: 'x' } });
  const answer = await post(app, `${CLIENT}/logout/all`, {}, { authorization: `Bearer ${token}` });
  expect(answer.status).toBe(500);
  expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
});

test('a token that has expired can still be logged out (Synapse)', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  app.stub.expire(token);
  const answer = await post(app, `${CLIENT}/logout`, {}, { authorization: `Bearer ${token}` });
  expect(answer.status).toBe(200);
  expect(app.stub.devicesOf('bob')).toEqual([]);
});

test('an account that is locked can still be logged out', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  app.stub.override('/whoami', () => ({
    status: 401,
    body: { errcode: 'M_USER_LOCKED', error: 'locked', soft_logout: true },
  }));
  const answer = await post(app, `${CLIENT}/logout`, {}, { authorization: `Bearer ${token}` });
  expect(answer.status).toBe(200);
  expect(app.stub.isLive(token)).toBe(false);
});

test('a logout of somebody without 2FA is his own, body and all', async () => {
  await start();
  const { token } = app.stub.signIn('alice');
  const answer = await post(app, `${CLIENT}/logout`, {}, { authorization: `Bearer ${token}` });
  expect(answer.status).toBe(200);
  expect(arrivals(app).at(-1)).toBe(`POST ${CLIENT}/logout`);
});

test('attack 105: a malformed token logs nobody out', async () => {
  await start();
  const { token } = app.stub.signIn('alice');
  for (const authorization of [`bearer ${token}`, `Bearer  ${token}`, `Basic ${token}`, token]) {
    const answer = await post(app, `${CLIENT}/logout`, {}, { authorization });
    expect(answer.status).toBe(401);
  }
  expect(app.stub.requests).toEqual([]);
  expect(app.stub.isLive(token)).toBe(true);
});

test('a refresh token of a finished sign-in refreshes as ever', async () => {
  await start();
  const signedIn = await submit(
    app,
    await signIn(app, 'bob', PASSWORD, { refresh_token: true }),
    app.code(bob),
  );
  app.clock.advance(4 * MINUTE);
  const answer = await post(app, `${CLIENT}/refresh`, { refresh_token: signedIn.body.refresh_token });
  expect(answer.status).toBe(200);
  expect(app.stub.isLive(answer.body.access_token)).toBe(true);
  const [sent] = app.stub.requestsTo('refresh');
  expect(sent?.headers.authorization).toBeUndefined();
});

test('a session whose hold is ended by a logout/all begins anew and needs a code', async () => {
  await start();
  const { token } = app.stub.signIn('bob');
  const challenge = await signIn(app, 'bob');
  await post(app, `${CLIENT}/logout/all`, {}, { authorization: `Bearer ${token}` });
  expect((await ask(app, challenge)).status).toBe(401);
});
