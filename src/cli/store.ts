import type { Config } from '../config/config.ts';
import { openStorage } from '../storage/open_storage.ts';
import type { Storage } from '../storage/storage.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Opens the store for the time of `work`. A running `serve` may have it open too. A command makes no database:
 * an empty one in a wrong place would look like one in which no user has 2FA on.
 *
 * @throws NoDatabase, StoreUnavailable, CannotOpen, SchemaTooNew
 */
export async function withStore<T>(
  config: Config,
  { clock, random }: Pick<Surroundings, 'clock' | 'random'>,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const storage = await openStorage(config.storage, { clock, random, make: false });
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}
