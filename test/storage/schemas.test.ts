import { describe, expect, test } from '@jest/globals';
import { openPostgresStorage } from '../../src/storage/postgres/postgres_storage.ts';
import { migrate } from '../../src/storage/sqlite/migrations/migrate.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { systemRandom } from '../../src/system/random.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';

const programs = postgresPrograms();
const suite = programs === undefined ? describe.skip : describe;

interface Column {
  readonly table: string;
  readonly column: string;
  readonly type: string;
  readonly required: boolean;
}

const POSTGRES_TYPE = new Map([
  ['TEXT', 'text'],
  ['INTEGER', 'bigint'],
  ['REAL', 'double precision'],
  ['BLOB', 'bytea'],
]);

const byName = (one: Column, other: Column) =>
  `${one.table}.${one.column}` < `${other.table}.${other.column}` ? -1 : 1;

function sqliteColumns(): Column[] {
  const database = openDatabase(':memory:');
  migrate(database);
  const rows = database
    .prepare<[], { table: string; column: string; type: string; required: number }>(
      `SELECT tables.name AS "table", columns.name AS "column", columns.type,
         columns."notnull" OR columns.pk AS required
       FROM sqlite_schema AS tables, pragma_table_xinfo(tables.name) AS columns
       WHERE tables.type = 'table' AND tables.name NOT LIKE 'sqlite_%'`,
    )
    .all();
  database.close();
  return rows
    .map((row) => ({ ...row, type: POSTGRES_TYPE.get(row.type) ?? row.type, required: row.required === 1 }))
    .toSorted(byName);
}

async function postgresColumns(database: TestDatabase): Promise<Column[]> {
  const { rows } = await database.asOther((client) =>
    client.query(
      `SELECT table_name AS "table", column_name AS "column", data_type AS type, is_nullable = 'NO' AS required
       FROM information_schema.columns
       WHERE table_schema = 'public' AND column_name <> 'rowid'`,
    ),
  );
  return rows.toSorted(byName);
}

suite('the schemas of both databases', () => {
  test('have the same tables and columns', async () => {
    const database = await TestDatabase.make(programs);
    const storage = await openPostgresStorage({ ...database.storage, random: systemRandom });
    await storage.close();
    expect(await postgresColumns(database)).toEqual(sqliteColumns());
    await database.drop();
  });
});
