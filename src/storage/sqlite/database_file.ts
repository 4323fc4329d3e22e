import { statSync } from 'node:fs';

/** Whether a database file with something in it is there. One that cannot be looked at may be: opening it tells. */
export function databaseIsThere(path: string): boolean {
  try {
    const file = statSync(path, { throwIfNoEntry: false });
    return file !== undefined && file.size > 0;
  } catch {
    return true;
  }
}
