import { closeSync, openSync, rmSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import { openDatabase } from './sqlite_library.ts';

const OWNER_ONLY = 0o600;
const ALL_PAGES = 0x7fffffff;

/**
 * Copies the database at `path`, while others may be writing it, into the new file `target`, which can serve as
 * a database itself. The copy is one state: that of the moment at which it was taken (attack 98).
 * @throws an error with a `code` if there is no database at `path`, or `target` is there already or cannot be written.
 */
export async function backupSqlite(path: string, target: string): Promise<void> {
  const database = openDatabase(path, { fileMustExist: true });
  try {
    closeSync(openSync(target, 'wx', OWNER_ONLY));
    await copy(database, target);
  } finally {
    database.close();
  }
}

/** Brings commits that stand beside a database into it, so that its file is whole; not if it cannot be read. */
export function settleDatabaseFile(path: string): void {
  try {
    const database = openDatabase(path, { fileMustExist: true });
    try {
      database.pragma('wal_checkpoint(TRUNCATE)');
    } finally {
      database.close();
    }
  } catch {
    // A file that is not a database is kept as it is.
  }
}

async function copy(database: Database, target: string): Promise<void> {
  try {
    // All in one step: a copy in several would begin again with every write of another process.
    await database.backup(target, { progress: () => ALL_PAGES });
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}
