import { expect, test } from '@jest/globals';
import { migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { ask } from '../../src/storage/statement.ts';
import { sawUser } from '../../src/storage/tables/known_users.ts';
import { KEPT_WITHOUT_USER, REMOVED_WITH_USER, removeUser } from '../../src/storage/tables/removed_users.ts';
import { enter } from '../support/entries.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, countFailure, enrol, NOW } from './rows.ts';

test('every table with users in it is known', () => {
  const database = openDatabase(':memory:');
  migrate(database);
  const tables = database
    .prepare<[], { name: string }>(
      `SELECT DISTINCT tables.name FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS columns
       WHERE tables.type = 'table' AND columns.name = 'user_id'`,
    )
    .all()
    .map(({ name }) => name);
  database.close();
  expect([...REMOVED_WITH_USER, ...KEPT_WITHOUT_USER].toSorted()).toEqual(tables.toSorted());
});

describeOnBothStores('a user whose account is closed', (opened) => {
  test('leaves the record and nothing else; others keep what they have', async () => {
    const { storage } = opened;
    for (const userId of [ALICE, BOB]) {
      await enrol(storage, userId);
      await countFailure(storage, userId);
      await storage.commit([], sawUser(userId));
      await enter(storage, { at: NOW, userId, event: 'totp.enabled' });
    }
    const rowsOf = async (userId: string) => {
      const counts = await Promise.all(
        [...REMOVED_WITH_USER, 'audit'].map(async (table) => {
          const [row] = await storage.read(
            ask<{ count: number }>(`SELECT count(*) AS count FROM ${table} WHERE user_id = :userId`, {
              userId,
            }),
          );
          return [table, row?.count ?? 0] as const;
        }),
      );
      return Object.fromEntries(counts.filter(([, count]) => count > 0));
    };
    const bobs = await rowsOf(BOB);
    expect(Object.keys(bobs)).toEqual(
      expect.arrayContaining(['authenticators', 'lanes', 'known_users', 'accounts']),
    );
    await storage.commit([ALICE], removeUser(ALICE));
    expect(await rowsOf(ALICE)).toEqual({ audit: 1 });
    expect(await rowsOf(BOB)).toEqual(bobs);
  });
});
