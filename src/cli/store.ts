import type { Config } from '../config/config.ts';
import { databaseIsThere } from '../storage/sqlite/database_file.ts';
import { openSqliteStorage } from '../storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../storage/stores.ts';
import { CommandFailed } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Opens the store for the time of `work`. A running `serve` may have it open too. A command makes no database:
 * an empty one in a wrong place would look like one in which 2FA is on for nobody.
 *
 * @throws CommandFailed if there is no database; StoreUnavailable, SchemaTooNew
 */
export async function withStore<T>(
  config: Config,
  { clock }: Surroundings,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  if (!databaseIsThere(config.storage.path)) {
    throw new CommandFailed(`${config.storage.path}: there is no database; serve makes it`);
  }
  const storage = await openSqliteStorage({ ...config.storage, clock });
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}
