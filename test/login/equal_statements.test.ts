import { expect, test } from '@jest/globals';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { StatementRecorder } from '../support/statements.ts';
import { signIn, startSignIns } from './support.ts';

/** `bob` has 2FA on, `alice` has not, `nobody` is not a user. */
const NAMES = ['bob', 'alice', 'nobody'];

describeOnBothDatabases('what a refused login asks of the store', (start) => {
  test.each([
    ['a wrong password', 'wrong'],
    ['a wrong password with a code behind it', 'wrong 123456'],
  ])('attack 147: does not tell who has 2FA on: %s', async (_what, password) => {
    const { app } = await startSignIns({}, start);
    // What is looked up once for all, and remembered.
    await signIn(app, 'alice', 'the first one');
    const recorder = StatementRecorder.start();
    const asked = new Map<string, readonly string[]>();
    try {
      for (const name of NAMES) {
        const refused = async () => expect((await signIn(app, name, password)).status).toBe(403);
        asked.set(name, (await recorder.during(refused)).statements);
      }
    } finally {
      recorder.stop();
    }
    expect(asked.get('bob')?.length).toBeGreaterThan(0);
    for (const name of NAMES) expect([name, asked.get(name)]).toEqual([name, asked.get('bob')]);
  });
});
