/**
 * What a request costs the store, exactly: a change that needs less lowers these numbers, one that needs more says in its
 * commit why. `npm run bench -- statements` prints them, and with `STATEMENTS='code → token'` which ones they are.
 */
import { expect, test } from '@jest/globals';
import { USERS } from '../../tools/ways/ways.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { countWays } from '../support/counted_ways.ts';

/** Round trips are those to PostgreSQL: in SQLite there are none. */
type Counts = readonly [statements: number, commits: number, roundTrips: number];

const COUNTS: Readonly<Record<string, { readonly sqlite: Counts; readonly postgres: Counts }>> = {
  'pass-through': { sqlite: [0, 0, 0], postgres: [0, 0, 0] },
  'login without 2FA': { sqlite: [6, 0, 0], postgres: [6, 0, 6] },
  'login → 401': { sqlite: [17, 1, 0], postgres: [18, 1, 20] },
  'code → token': { sqlite: [23, 2, 0], postgres: [23, 2, 27] },
  'whole TOTP sign-in': { sqlite: [40, 3, 0], postgres: [41, 3, 47] },
  'appended code': { sqlite: [38, 3, 0], postgres: [39, 3, 45] },
  'recovery code → token': { sqlite: [21, 2, 0], postgres: [21, 2, 25] },
  'guarded one-shot': { sqlite: [29, 4, 0], postgres: [31, 4, 39] },
  'page GET': { sqlite: [0, 0, 0], postgres: [0, 0, 0] },
  'page password': { sqlite: [31, 4, 0], postgres: [35, 4, 43] },
  'page code': { sqlite: [32, 3, 0], postgres: [34, 3, 40] },
  'whole sign-in on the page': { sqlite: [63, 7, 0], postgres: [69, 7, 83] },
};

describeOnBothDatabases('statements, commits and round trips', (start) => {
  test('are as many as are allowed, for each way', async () => {
    const app = await start({ users: USERS });
    const database = app.isOnPostgres ? 'postgres' : 'sqlite';
    const counted = (await countWays(app)).map(({ name, asked }) => {
      const { statements, commits, roundTrips } = asked;
      return [name, [statements.length, commits, roundTrips]] as const;
    });
    const allowed = Object.entries(COUNTS).map(([name, counts]) => [name, counts[database]] as const);
    expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(allowed));
  });
});
