import { migrate } from './sqlite/migrations/migrate.ts';
import { openDatabase } from './sqlite/sqlite_library.ts';
import { ask, type Effect, effect, type Query, type Sql, type Value, type Values } from './statement.ts';
import type { WholeDatabase } from './whole_database.ts';

/** A table that a copy of the database has. */
export interface CopiedTable {
  readonly name: string;
  readonly columns: readonly string[];
}

type Row = Readonly<Record<string, Value>>;

/**
 * What says something of the database itself, and is not copied: which processes use it, and whether it can be
 * reached and written.
 */
const NOT_COPIED: readonly string[] = ['processes', 'probes', 'store_checks', 'schema_info'];

const ROWS_READ_AT_ONCE = 2000;
/** A statement of PostgreSQL has at most 65,535 values, one of SQLite 32,766. */
const ROWS_WRITTEN_AT_ONCE = 100;

/** The tables of the newest schema, those first that others refer to; without columns that are computed. */
export function copiedTables(): CopiedTable[] {
  const database = openDatabase(':memory:');
  try {
    migrate(database);
    const names = database
      .prepare<[], { name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
      )
      .all()
      .filter(({ name }) => !NOT_COPIED.includes(name));
    const columns = database.prepare<[string], { name: string }>(
      'SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0',
    );
    return names.map(({ name }) => ({ name, columns: columns.all(name).map((column) => column.name) }));
  } finally {
    database.close();
  }
}

/**
 * Makes the tables of `to` hold what those of `from` hold, both of the newest schema.
 * @returns the number of rows of each table, in order
 * @throws CopyDiffers if a table has another number of rows then
 */
export async function copyTables(from: WholeDatabase, to: WholeDatabase): Promise<Map<string, number>> {
  const tables = copiedTables();
  for (const { name } of tables.toReversed()) await to.write(effect(`DELETE FROM ${name}`));
  const counts = new Map<string, number>();
  for (const table of tables) {
    await copyRows(table, from, to);
    const [wanted, found] = [await countRows(table, from), await countRows(table, to)];
    if (wanted !== found) throw new CopyDiffers(table.name, wanted, found);
    counts.set(table.name, found);
  }
  await to.write(CONTINUE_NUMBERS);
  return counts;
}

/** A copy has another number of rows than what was copied. */
export class CopyDiffers extends Error {
  constructor(table: string, wanted: number, found: number) {
    super(`${table} has ${wanted} rows, but its copy has ${found}: nothing was copied`);
    this.name = 'CopyDiffers';
  }
}

async function copyRows(table: CopiedTable, from: WholeDatabase, to: WholeDatabase): Promise<void> {
  for (let after = 0; ; ) {
    const rows = await from.write(readRows(table, after));
    for (let start = 0; start < rows.length; start += ROWS_WRITTEN_AT_ONCE) {
      await to.write(writeRows(table, rows.slice(start, start + ROWS_WRITTEN_AT_ONCE)));
    }
    const last = rows.at(-1)?.copied_row;
    if (typeof last !== 'number') return;
    after = last;
  }
}

async function countRows({ name }: CopiedTable, database: WholeDatabase): Promise<number> {
  const [row] = await database.write(ask<{ count: number }>(`SELECT count(*) AS count FROM ${name}`));
  return row?.count ?? 0;
}

/** In the order in which they were written; `copied_row` is their place in it. */
function readRows({ name, columns }: CopiedTable, after: number): Query<Row> {
  return ask(
    `SELECT rowid AS copied_row, ${columns.join(', ')} FROM ${name}
     WHERE rowid > :after ORDER BY rowid LIMIT ${ROWS_READ_AT_ONCE}`,
    { after },
  );
}

function writeRows({ name, columns }: CopiedTable, rows: readonly Row[]): Effect {
  const values: Record<string, Value> = {};
  const places = rows.map((row, at) => {
    const names = columns.map((column, place) => {
      values[`v${at}x${place}`] = row[column] ?? null;
      return `:v${at}x${place}`;
    });
    return `(${names.join(', ')})`;
  });
  const given: Values = values;
  return effect(`INSERT INTO ${name} (${columns.join(', ')}) VALUES ${places.join(', ')}`, given);
}

/**
 * PostgreSQL does not count on from rows that bring their number along; SQLite does. The counter is only ever raised:
 * that takes effect at once and stays when the transaction is undone, whose rows may have had higher numbers.
 */
const CONTINUE_NUMBERS: Query<object> = ask({
  sqlite: 'SELECT 1',
  postgres: `SELECT setval(name, greatest(pg_sequence_last_value(name), (SELECT max(number) FROM audit), 0) + 1, false)
    FROM (SELECT pg_get_serial_sequence('audit', 'number')::regclass AS name) AS numbers`,
} satisfies Sql);
