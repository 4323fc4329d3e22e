import type { Clock } from '../../system/clock.ts';
import { ask, type CommitAnswer, listOf, type Unit } from '../statement.ts';
import type { WholeDatabase, WholeOptions } from '../whole_database.ts';
import { Connection } from './connection.ts';
import { databaseIsThere } from './database_file.ts';
import { asStoreError } from './store_error.ts';
import { runUnit } from './unit_of_work.ts';

/** One transaction on a database file. A rehearsal makes no file: where there is none, it is done in memory. */
export async function onWholeSqlite<T>(
  path: string,
  { access, clock }: WholeOptions,
  work: (database: WholeDatabase) => Promise<T>,
): Promise<T> {
  const inMemory = access === 'rehearse' && !databaseIsThere(path);
  const connection = Connection.openAsItIs(inMemory ? ':memory:' : path, { readonly: access === 'read' });
  try {
    connection.run(access === 'read' ? 'BEGIN' : 'BEGIN IMMEDIATE');
    const result = await work(databaseOn(connection, clock));
    connection.run(access === 'rehearse' ? 'ROLLBACK' : 'COMMIT');
    return result;
  } catch (error) {
    throw asStoreError(error);
  } finally {
    // What was not committed goes with the connection.
    connection.close();
  }
}

function databaseOn(connection: Connection, clock: Clock): WholeDatabase {
  return {
    version: async () => connection.schemaVersion,
    migrate: async () => connection.migrate(),
    write: async <const U extends Unit>(unit: U) => runUnit(connection, unit, clock.now()) as CommitAnswer<U>,
  };
}

/** Some of the tables that every database of this program has. */
const OUR_TABLES = ['accounts', 'authenticators', 'audit', 'database_identity'];

/** Whether an SQLite database is whole, and one of this program. */
export async function isOurSqlite(database: WholeDatabase): Promise<boolean> {
  const { names, values } = listOf('table', OUR_TABLES);
  const tables = ask(
    `SELECT 1 AS found FROM sqlite_schema WHERE type = 'table' AND name IN (${names})`,
    values,
  );
  const [sound] = await database.write(ask<{ quick_check: string }>('PRAGMA quick_check'));
  const version = await database.version();
  const isOurs = version > 0 && (await database.write(tables)).length === OUR_TABLES.length;
  return isOurs && sound?.quick_check === 'ok';
}
