import { StoreUnavailable } from '../errors.ts';

/**
 * What a store may throw for an error of SQLite or of the file system: `StoreUnavailable`, except for violated
 * constraints, which are a mistake of the program, not a state of the database. Other errors stay as they are.
 */
export function asStoreError(error: unknown): unknown {
  if (isSystemError(error)) return new StoreUnavailable(error);
  const code = sqliteCode(error);
  if (code === undefined || code.startsWith('SQLITE_CONSTRAINT')) return error;
  return new StoreUnavailable(error);
}

/** What waiting does not heal once the file could be opened, and how it is said. */
const FINAL_COMPLAINTS: Readonly<Record<string, string>> = {
  SQLITE_NOTADB: 'it is not a database',
  SQLITE_CORRUPT: 'it is damaged; restore a backup',
  SQLITE_READONLY: 'it cannot be written',
  SQLITE_READONLY_DIRECTORY: 'its folder cannot be written',
  SQLITE_PERM: 'it may not be opened',
  SQLITE_AUTH: 'it may not be opened',
};

/** What is wrong with a database that cannot be opened, now or later; undefined if it may be opened later. */
export function finalComplaint(error: unknown): string | undefined {
  return FINAL_COMPLAINTS[sqliteCode(error) ?? ''];
}

/** Whether another process is writing: worth another try. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_BUSY') ?? false;
}

/** Whether reading or writing failed, by no fault of what was read: most often the disk is full. */
export function isDiskFault(error: unknown): boolean {
  return isSystemError(error) || /^SQLITE_(FULL|IOERR)/.test(sqliteCode(error) ?? '');
}

/** Errors are told by their code, as their class differs where the module was loaded twice. */
function sqliteCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : undefined;
}

/** An error of the file system says which call failed. */
function isSystemError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error;
}
