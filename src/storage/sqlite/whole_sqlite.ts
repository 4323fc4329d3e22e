import type { Clock } from '../../system/clock.ts';
import type { CommitAnswer, Unit } from '../statement.ts';
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
