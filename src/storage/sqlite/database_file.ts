import { statSync } from 'node:fs';

/**
 * Whether a database file with something in it is there. A file that cannot be looked at counts as there: opening it
 * will tell.
 */
export function databaseIsThere(path: string): boolean {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    return file !== undefined && file.size > 0;
  } catch {
    return true;
  }
}
