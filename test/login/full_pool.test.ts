import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import { startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { MINUTE, PASSWORD, signIn, submit } from './support.ts';

const programs = postgresPrograms();
const POOL = 2;
/** What requests wait for that hold every connection of the pool. */
const HELD_UP = ask({ sqlite: 'SELECT 1', postgres: 'SELECT pg_advisory_lock_shared(7)' });

(programs === undefined ? describe.skip : describe)('F-8: a pool whose connections are all in use', () => {
  let database: TestDatabase;
  let app: TestApp;
  let bob: Enrolled;

  beforeEach(async () => {
    database = await TestDatabase.make(programs);
    app = await startApp({
      users: [{ name: 'bob', password: PASSWORD }],
      storage: database.settings(`pool: ${POOL}`),
      config: 'login: { hold_ttl: 1m }',
    });
    bob = await app.enrol('bob');
  });

  afterEach(async () => {
    await app.stop();
    await database.drop();
  });

  test('requests wait, and are refused; what ended is logged out, others see the process, the rest flows', async () => {
    await signIn(app, 'bob');
    expect(app.stub.liveTokens('bob')).toHaveLength(1);
    app.clock.advance(2 * MINUTE);
    await database.asOther(async (other) => {
      await other.query('SELECT pg_advisory_lock(7)');
      const held = Array.from({ length: POOL }, () => app.storage.read(HELD_UP));
      const refused = [signIn(app, 'bob'), app.call({ target: '/_2fa/ready' })];
      await app.proxy.keepHouse();
      expect(app.storage.pool?.()).toMatchObject({ busy: POOL, idle: 0 });
      expect(app.stub.liveTokens('bob')).toEqual([]);
      const { rows } = await other.query('SELECT max(seen_at) AS seen FROM processes');
      expect(Number(rows[0].seen)).toBe(app.clock.now());
      expect(await app.call({ target: '/_matrix/client/versions' })).toMatchObject({ status: 200 });
      expect(await Promise.all(refused)).toMatchObject([{ status: 503 }, { status: 503 }]);
      await other.query('SELECT pg_advisory_unlock(7)');
      await Promise.all(held);
    });
    expect(await submit(app, await signIn(app, 'bob'), app.code(bob))).toMatchObject({ status: 200 });
  });
});
