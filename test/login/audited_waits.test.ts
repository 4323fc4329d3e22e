import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';

let app: TestApp;

beforeEach(async () => {
  app = await startApp({ users: [{ name: 'bob', password: 'bob pw' }] });
});

afterEach(() => app.stop());

test('R11: a client that comes again in a wait does not fill the audit', async () => {
  const bob = await app.enrol('bob');
  for (let time = 0; time < 25; time++) {
    await app.post(LOGIN, passwordLogin('bob', `bob pw ${app.wrongCode(bob)}`));
  }
  const events = (await app.storage.audit.list({ userId: bob.userId })).map(({ event }) => event);
  expect(events.filter((event) => event === 'factor.refused')).toHaveLength(5);
  expect(events.filter((event) => event === 'throttle.wait')).toHaveLength(1);
});
