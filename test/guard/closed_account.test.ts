import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { ALICES_PASSWORD, bobsPassword, DEACTIVATE, type GuardedApp, startGuarded, TOTP } from './guarded.ts';

let it: GuardedApp;

beforeEach(async () => {
  it = await startGuarded();
});
afterEach(() => it.app.stop());

/** Once all who were seen are noted. */
async function known(): Promise<string[]> {
  await it.app.shutDown();
  await it.app.start();
  const rows = await it.app.storage.read(
    ask<{ userId: string }>('SELECT user_id AS "userId" FROM known_users ORDER BY user_id'),
  );
  return rows.map(({ userId }) => userId);
}

test('who uses a guarded endpoint is known; a closed account is not any more', async () => {
  const { app, alicesToken } = it;
  const wrong = { ...DEACTIVATE.body, auth: { type: 'm.login.password', password: 'wrong' } };
  await app.call({ target: DEACTIVATE.target, token: alicesToken, json: wrong });
  expect(await known()).toContain('@alice:localhost');
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: '@alice:localhost' },
    password: ALICES_PASSWORD,
  };
  const closed = await app.call({
    target: DEACTIVATE.target,
    token: alicesToken,
    json: { ...DEACTIVATE.body, auth },
  });
  expect(closed.status).toBe(200);
  expect(await known()).not.toContain('@alice:localhost');
});

test('of a user with 2FA the record is left, and nothing else', async () => {
  const { app, bobsToken, bob } = it;
  const call = (auth: object) =>
    app.call({ target: DEACTIVATE.target, token: bobsToken, json: { ...DEACTIVATE.body, auth } as never });
  const begun = await app.call({ target: DEACTIVATE.target, token: bobsToken, json: DEACTIVATE.body });
  const { session } = begun.json;
  expect(await call({ type: TOTP, session, token: app.code(bob) })).toMatchObject({ status: 401 });
  expect(await call({ ...bobsPassword(), session })).toMatchObject({ status: 200 });
  expect(await known()).not.toContain(bob.userId);
  expect(await app.storage.factors.isEnrolled(bob.userId)).toBe(false);
  const events = (await app.storage.audit.list({ userId: bob.userId })).map(({ event }) => event);
  expect(events).toEqual(['guard.passed', 'totp.used']);
});
