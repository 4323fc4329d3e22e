import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { LOGIN, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { failCommits, startSignIns, TOTP } from './support.ts';

const TOKEN = 'as_token_of_the_bridge';
const login = { type: 'm.login.application_service', identifier: { type: 'm.id.user', user: 'bob' } };

let app: TestApp;
let bob: Enrolled;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'registration-'));
});

afterEach(async () => {
  await app.stop();
  rmSync(folder, { recursive: true });
});

async function start(isListed: boolean): Promise<void> {
  const file = join(folder, 'bridge.yaml');
  writeFileSync(file, `id: bridge\nas_token: ${TOKEN}\n`);
  ({ app, bob } = await startSignIns({
    applicationServices: [{ token: TOKEN, senderLocalpart: 'bridge', prefix: 'bo' }],
    ...(isListed ? { config: `application_services: [${file}]` } : {}),
  }));
}

test('attack 40: a listed application service logs a user with 2FA in, and that is on record', async () => {
  await start(true);
  const answer = await app.post(LOGIN, login, TOKEN);
  expect(answer.status).toBe(200);
  expect(answer.json.user_id).toBe(bob.userId);
  const [record] = await app.storage.audit.list({ userId: bob.userId });
  expect(record).toMatchObject({ event: 'appservice.login', address: '127.0.0.1' });
});

test('whom a listed service acts for is not counted among the users who were seen', async () => {
  await start(true);
  await app.post(LOGIN, login, TOKEN);
  await app.post('/_matrix/client/v3/register', { type: login.type, username: 'bo_ghost' }, TOKEN);
  const alice = app.stub.signIn('alice').token;
  await app.call({ target: '/_matrix/client/v3/account/two-factor', token: alice });
  // Once all who were seen are noted.
  await app.shutDown();
  await app.start();
  const seen = ask<{ userId: string }>('SELECT user_id AS "userId" FROM known_users');
  expect(await app.storage.read(seen)).toEqual([{ userId: '@alice:localhost' }]);
});

test('attack 40: one that is not listed is gated by the user in the answer', async () => {
  await start(false);
  const challenge = await app.post(LOGIN, login, TOKEN);
  expect(challenge.status).toBe(401);
  expect(challenge.json.completed).toEqual(['m.login.application_service']);
  for (const token of app.stub.liveTokens('bob')) expect(challenge.text).not.toContain(token);

  const auth = { type: TOTP, session: String(challenge.json.session), token: app.code(bob) };
  expect((await app.post(LOGIN, { auth }, TOKEN)).status).toBe(200);
});

test('attack 22: user_id in the query of an unlisted service moves nothing', async () => {
  await start(false);
  const other = { ...login, identifier: { type: 'm.id.user', user: 'alice' } };
  const answer = await app.post(`${LOGIN}?user_id=@bob:localhost`, other, TOKEN);
  expect(answer.status).toBe(403);
  expect(app.stub.requests[0]?.target).toBe(LOGIN);
});

test('attack 40: an ordinary token is not an application service', async () => {
  await start(true);
  const { token } = app.stub.signIn('alice');
  const answer = await app.post(LOGIN, login, token);
  expect(answer.status).toBe(401);
  expect(answer.json).not.toHaveProperty('access_token');
});

test('a login of a service that cannot be put on record leaves no token behind', async () => {
  await start(true);
  const heal = failCommits(app, '"does":"enter"', new Error('disk full'));
  expect((await app.post(LOGIN, login, TOKEN)).status).toBe(500);
  heal();
  expect(app.stub.liveTokens('bob')).toEqual([]);
});

test('a 200 without a token is not a login of a listed service', async () => {
  await start(true);
  app.stub.override(/POST .*\/login$/, () => ({ status: 200, body: { user_id: bob.userId } }));
  const answer = await app.post(LOGIN, login, TOKEN);
  expect(answer.status).toBe(502);
  expect(answer.json.errcode).toBe('M_UNKNOWN');
  expect(await app.storage.audit.list({ userId: bob.userId })).not.toContainEqual(
    expect.objectContaining({ event: 'appservice.login' }),
  );
});
