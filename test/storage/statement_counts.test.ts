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
  'login without 2FA': { sqlite: [5, 0, 0], postgres: [5, 0, 5] },
  'login → 401': { sqlite: [8, 1, 0], postgres: [9, 1, 11] },
  'code → token': { sqlite: [11, 1, 0], postgres: [11, 1, 13] },
  'whole TOTP sign-in': { sqlite: [19, 2, 0], postgres: [20, 2, 24] },
  'code → token, device named': { sqlite: [20, 2, 0], postgres: [20, 2, 24] },
  'appended code': { sqlite: [13, 1, 0], postgres: [13, 1, 15] },
  'recovery code → token': { sqlite: [10, 1, 0], postgres: [10, 1, 12] },
  'guarded one-shot': { sqlite: [24, 4, 0], postgres: [26, 4, 34] },
  'page GET': { sqlite: [0, 0, 0], postgres: [0, 0, 0] },
  'page password': { sqlite: [22, 4, 0], postgres: [26, 4, 34] },
  'page code': { sqlite: [27, 3, 0], postgres: [29, 3, 35] },
  'whole sign-in on the page': { sqlite: [49, 7, 0], postgres: [55, 7, 69] },
};

/** Pages that SQLite writes at most: one more or less, as rows come to lie. */
const PAGES: Readonly<Record<string, number>> = {
  'login without 2FA': 0,
  'login → 401': 18,
  'code → token': 32,
  'appended code': 17,
};

describeOnBothDatabases('statements, commits and round trips', (start) => {
  test('are as many as are allowed, for each way', async () => {
    const app = await start({ users: USERS });
    const database = app.isOnPostgres ? 'postgres' : 'sqlite';
    const ways = await countWays(app);
    const counted = ways.map(({ name, asked }) => {
      const { statements, commits, roundTrips } = asked;
      return [name, [statements.length, commits, roundTrips]] as const;
    });
    const allowed = Object.entries(COUNTS).map(([name, counts]) => [name, counts[database]] as const);
    expect(Object.fromEntries(counted)).toEqual(Object.fromEntries(allowed));
    const tooMany = ways.filter(({ name, pages }) => pages > (PAGES[name] ?? Number.POSITIVE_INFINITY));
    expect(tooMany.map(({ name, pages }) => [name, pages])).toEqual([]);
  });
});
