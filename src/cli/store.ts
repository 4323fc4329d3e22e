import type { Config } from '../config/config.ts';
import { openSqliteStorage } from '../storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../storage/stores.ts';

/**
 * Opens the store for the time of `work`. A running `serve` may have it open too.
 *
 * @throws StoreUnavailable, SchemaTooNew
 */
export async function withStore<T>(config: Config, work: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openSqliteStorage(config.storage);
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}
