import { CannotOpen, NoDatabase } from '../errors.ts';
import { databaseIsThere } from './database_file.ts';
import { type Schema, schemaOf } from './migrations/migrate.ts';
import { requireUsablePlace } from './place.ts';
import { openDatabase } from './sqlite_library.ts';
import { asStoreError, finalComplaint } from './store_error.ts';

const BUSY_TIMEOUT_MS = 5000;

/**
 * What an SQLite file says of its schema, which is opened for reading only.
 * @throws NoDatabase, CannotOpen, StoreUnavailable
 */
export function lookAtSqlite(path: string): Schema {
  requireUsablePlace(path);
  if (!databaseIsThere(path)) throw new NoDatabase(path);
  try {
    const database = openDatabase(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
    try {
      return schemaOf(database);
    } finally {
      database.close();
    }
  } catch (error) {
    const complaint = finalComplaint(error);
    throw complaint === undefined ? asStoreError(error) : new CannotOpen(path, complaint, error);
  }
}
