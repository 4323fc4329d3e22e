import { closeSync, existsSync, openSync } from 'node:fs';
import { nameInTheMaking, nameNewFile, removeDatabaseFile, removeLeftOvers } from './replaced_file.ts';
import { openDatabase } from './sqlite_library.ts';
import { isBusy } from './store_error.ts';

const OWNER_ONLY = 0o600;
/** How long another command may take that has the database open, in ms. */
const BUSY_TIMEOUT_MS = 1000;
const ALL_PAGES = 0x7fffffff;

/**
 * Copies the database at `path`, while others may be writing it, into the new file `target`, which can serve as
 * a database itself. The copy is one state: that of the moment at which it was taken (attack 98).
 * @throws an error with a `code` if there is no database at `path`, or `target` is there already or cannot be written.
 */
export async function backupSqlite(path: string, target: string): Promise<void> {
  const database = openDatabase(path, { fileMustExist: true });
  try {
    await makeWhole(target, async (file) => {
      closeSync(openSync(file, 'wx', OWNER_ONLY));
      // All in one step: a copy in several would begin again with every write of another process.
      await database.backup(file, { progress: () => ALL_PAGES });
    });
  } finally {
    database.close();
  }
}

/**
 * Makes a new database file: `make` writes it under another name, and it gets its own once it is whole. What a process
 * leaves that is killed meanwhile is removed by the next one.
 * @throws an error with the code EEXIST if `target` is there; what `make` throws
 */
export async function makeWhole(target: string, make: (file: string) => Promise<void>): Promise<void> {
  if (existsSync(target)) throw Object.assign(new Error('it is there already'), { code: 'EEXIST' });
  removeLeftOvers(target, 'copying');
  const file = nameInTheMaking(target, 'copying');
  try {
    await make(file);
    nameNewFile(file, target);
  } finally {
    removeDatabaseFile(file);
  }
}

/**
 * Brings commits that stand beside a database into it, so that its file is whole. A file that is not a database, or a
 * broken one, is left as it is.
 * @returns false if another program has it open, so that commits still stand beside it
 */
export function settleDatabaseFile(path: string): boolean {
  try {
    const database = openDatabase(path, { fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      return database.pragma('wal_checkpoint(TRUNCATE)', { simple: true }) === 0;
    } finally {
      database.close();
    }
  } catch (error) {
    return !isBusy(error);
  }
}
