import { beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { loginsOf, PASSWORD, STEP, signIn, submit } from './support.ts';

/** One is accepted, and the others are one failure short of ending the session. */
const AT_ONCE = 5;

describeOnBothDatabases('two processes on one database', (start) => {
  let one: TestApp;
  let other: TestApp;
  let bob: Enrolled;

  beforeEach(async () => {
    one = await start({ users: [{ name: 'bob', password: PASSWORD }] });
    other = await one.startAnother();
    bob = await one.enrol('bob');
  });

  test('attack 92: the password at one and the code at the other sign in, time and again', async () => {
    for (let turn = 0; turn < 8; turn++) {
      one.clock.advance(STEP);
      const [first, second] = turn % 2 === 0 ? [one, other] : [other, one];
      const challenge = await signIn(first, 'bob');
      expect(challenge.status).toBe(401);
      expect(await submit(second, challenge, one.code(bob))).toMatchObject({ status: 200 });
    }
  });

  test('attack 53: one code at both, many times at once, gives one token', async () => {
    const processes = Array.from({ length: 20 }, (_, turn) => (turn % 2 === 0 ? one : other));
    const challenges = await Promise.all(processes.map((process) => signIn(process, 'bob')));
    one.clock.advance(STEP);
    const code = one.code(bob);
    const answers = await Promise.all(
      challenges.map((challenge, turn) => submit(processes[turn + 1] ?? one, challenge, code)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('attack 53: one code in one session at both, many times at once, gives one token', async () => {
    const challenge = await signIn(one, 'bob');
    one.clock.advance(STEP);
    const code = one.code(bob);
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, turn) => submit(turn % 2 === 0 ? one : other, challenge, code)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('attack 108: equal sign-ins at both at once ask the homeserver once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, turn) => signIn(turn % 2 === 0 ? one : other, 'bob')),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 401));
    expect(loginsOf(one)).toHaveLength(1);
  });

  test('attack 108: one that is alone keeps its line to itself, until another one starts', async () => {
    const leases = ask<{ readonly key: string }>('SELECT key FROM leases');
    await other.shutDown();
    await signIn(one, 'bob');
    expect(await one.storage.read(leases)).toEqual([]);
    await one.startAnother();
    await signIn(one, 'bob', 'another password');
    expect(await one.storage.read(leases)).toHaveLength(1);
  });

  test('attack 55: wrong codes at one make the other wait, too', async () => {
    const challenge = await signIn(one, 'bob');
    for (let turn = 0; turn < 5; turn++) await submit(one, challenge, one.wrongCode(bob));
    const next = await signIn(other, 'bob');
    expect(await submit(other, next, one.wrongCode(bob))).toMatchObject({ status: 429 });
  });

  test('attack 26: a sign-in survives the process in which it began', async () => {
    const challenge = await signIn(other, 'bob');
    await other.shutDown();
    one.clock.advance(STEP);
    expect(await submit(one, challenge, one.code(bob))).toMatchObject({ status: 200 });
  });

  test('2FA that is turned off at one is off at the other', async () => {
    await one.storage.factors.removeAllFactors(bob.userId);
    expect(await signIn(other, 'bob')).toMatchObject({ status: 200 });
  });
});
