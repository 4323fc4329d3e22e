import { describe, expect, test } from '@jest/globals';
import { openPostgresStorage } from '../../src/storage/postgres/postgres_storage.ts';
import { MIGRATIONS, migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { systemRandom } from '../../src/system/random.ts';
import { postgresOfSchema } from '../support/older_schema.ts';
import { postgresPrograms } from '../support/postgres.ts';

/** The schema before users with a policy of their own were found by name. */
const BEFORE = 39;

const USERS = `
  INSERT INTO accounts (user_id, folded_localpart) VALUES
    ('@Alice:hs.example:8448', ''), ('@bob:hs', ''), ('@carol:hs', 'carol'), ('odd', '');
  INSERT INTO policies (user_id, mode) VALUES
    ('@Alice:hs.example:8448', 'required'), ('@bob:hs', NULL), ('@carol:hs', 'required'), ('odd', 'required');
`;
const NAMES = 'SELECT user_id, folded_localpart FROM accounts ORDER BY user_id';
const NAMED = [
  { user_id: '@Alice:hs.example:8448', folded_localpart: 'alice' },
  { user_id: '@bob:hs', folded_localpart: '' },
  { user_id: '@carol:hs', folded_localpart: 'carol' },
  { user_id: 'odd', folded_localpart: '' },
];

describe('users with a policy of their own are found by name after the migration', () => {
  test('on SQLite', () => {
    const database = openDatabase(':memory:');
    migrate(database, MIGRATIONS.slice(0, BEFORE));
    database.exec(USERS);
    migrate(database);
    expect(database.prepare(NAMES).all()).toEqual(NAMED);
    database.close();
  });

  const onPostgres = postgresPrograms() === undefined ? test.skip : test;
  onPostgres('on PostgreSQL', async () => {
    const made = await postgresOfSchema(BEFORE);
    await made.administer(USERS);
    await (await openPostgresStorage({ ...made.storage, random: systemRandom })).close();
    expect(await made.asOther(async (client) => (await client.query(NAMES)).rows)).toEqual(NAMED);
    await made.drop();
  });
});
