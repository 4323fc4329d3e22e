import { type Config, ConfigError } from '../config/config.ts';
import { NoDatabase, StoreUnavailable } from '../storage/errors.ts';
import { nameOfDatabase } from '../storage/open_storage.ts';
import { listSealedSeeds } from '../storage/tables/key_uses.ts';
import { nameOfKeys, readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { SealBroken } from '../vault/vault.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Makes sure that the key file opens what the database holds: with another one every code would be refused,
 * and no one would know why. A database that does not answer now is left to `serve`, which waits for it.
 *
 * @throws KeyFileError, CannotOpen, SchemaTooNew; ConfigError if they do not fit
 */
export async function requireFittingKeys(
  config: Config,
  surroundings: Pick<Surroundings, 'clock' | 'random'>,
): Promise<void> {
  const vault = new SealingVault(await readKeys(config.keys.source), surroundings.random);
  try {
    await withStore(config, surroundings, async (storage) => {
      const [any] = await storage.read(listSealedSeeds('', 1));
      if (any !== undefined) vault.open(any.sealedSeed, `authenticator:${any.id}:${any.userId}`);
    });
  } catch (error) {
    if (error instanceof StoreUnavailable || error instanceof NoDatabase) return;
    if (!(error instanceof SealBroken)) throw error;
    throw new ConfigError(
      `the keys in ${nameOfKeys(config.keys.source)} are not those of the database ${nameOfDatabase(config.storage)}`,
    );
  }
}
