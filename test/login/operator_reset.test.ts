import { afterEach, expect, test } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { operate } from '../support/operate.ts';
import { ask, PASSWORD, signIn, startSignIns, submit } from './support.ts';

let app: TestApp;
let bob: Enrolled;

afterEach(() => app.stop());

test('attack 95: an operator’s reset takes everything from exactly that user and ends their held logins', async () => {
  ({ app, bob } = await startSignIns());
  app.stub.addUser({ name: 'carol', password: PASSWORD });
  const carol = await app.enrol('carol');
  const his = await signIn(app, 'bob');
  const hers = await signIn(app, 'carol');

  const words = [
    'user',
    'reset',
    bob.userId,
    '--reason',
    'phone lost',
    '--verified-by',
    'called back',
    '--yes',
  ];
  expect((await operate(app, ...words)).code).toBe(0);

  expect(await app.storage.factors.authenticators(bob.userId)).toEqual([]);
  expect(await app.storage.factors.recoverySet(bob.userId)).toBeUndefined();
  expect(app.stub.liveTokens('bob')).toEqual([]);
  const [record] = (await app.storage.audit.list({ userId: bob.userId })).filter(
    ({ event }) => event === 'operator.reset',
  );
  expect(record?.detail).toMatchObject({ reason: 'phone lost', verified_by: 'called back' });

  const late = await ask(app, his);
  expect(late.status).not.toBe(200);
  expect(late.body).not.toHaveProperty('access_token');
  expect((await signIn(app, 'bob')).status).toBe(200);
  expect((await submit(app, hers, app.code(carol))).status).toBe(200);
});
