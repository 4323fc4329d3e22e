import type { Config } from '../config/config.ts';
import { mayBeThere, nameOfDatabase, openStorage } from '../storage/open_storage.ts';
import type { Storage } from '../storage/storage.ts';
import { CommandFailed } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Opens the store for the time of `work`. A running `serve` may have it open too. A command makes no database:
 * an empty one in a wrong place would look like one in which no user has 2FA on.
 *
 * @throws CommandFailed if there is no database; StoreUnavailable, SchemaTooNew
 */
export async function withStore<T>(
  config: Config,
  { clock, random }: Surroundings,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  if (!mayBeThere(config.storage)) {
    throw new CommandFailed(`${nameOfDatabase(config.storage)}: there is no database; serve makes it`);
  }
  const storage = await openStorage(config.storage, { clock, random });
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}
