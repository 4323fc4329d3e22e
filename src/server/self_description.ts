import { hostname } from 'node:os';
import type { Config } from '../config/config.ts';
import { digestOfSettings } from '../config/digest.ts';
import { StoreUnavailable } from '../storage/errors.ts';
import { nameOfDatabase, type StorageSettings } from '../storage/open_storage.ts';
import type { Storage } from '../storage/storage.ts';
import { listProcesses, type ProcessDescription } from '../storage/tables/processes.ts';
import { programVersion } from '../system/version.ts';
import type { KeyKeeper } from '../vault/key_keeper.ts';

/** A process on another machine serves on an SQLite file: their locks do not reach each other. */
export class AnotherMachine extends Error {
  constructor(database: string, host: string) {
    super(
      `${database}: a process on ${host} serves on it, or was killed less than 30 s ago; SQLite is for the ` +
        'processes of one machine',
    );
    this.name = 'AnotherMachine';
  }
}

/** What this process says of itself to others: keys and settings may change while it runs. */
export function selfDescription(config: Config, keys: KeyKeeper): () => ProcessDescription {
  const [host, version] = [hostname(), programVersion()];
  return () => ({
    host,
    version,
    keyIds: keys.ring.keys
      .map(({ id }) => id)
      .toSorted()
      .join(' '),
    sealingKey: keys.vault.sealingKey,
    settingsDigest: digestOfSettings(config),
  });
}

/**
 * Makes sure that no process on another machine serves on this SQLite file. Each notes that it is there before it
 * looks: of two that start at once at least one sees the other. A store that is away is not asked.
 * @throws AnotherMachine
 */
export async function requireOneMachine(
  settings: StorageSettings,
  storage: Pick<Storage, 'read'>,
): Promise<void> {
  if (settings.type !== 'sqlite') return;
  const other = (await processesOn(storage)).find(({ host }) => host !== '' && host !== hostname());
  if (other !== undefined) throw new AnotherMachine(nameOfDatabase(settings), other.host);
}

async function processesOn(storage: Pick<Storage, 'read'>) {
  try {
    return await storage.read(listProcesses());
  } catch (error) {
    if (error instanceof StoreUnavailable) return [];
    throw error;
  }
}
