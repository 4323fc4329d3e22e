import type { Config } from '../../config/config.ts';
import type { CreateFactor } from '../../factors/list.ts';
import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { Addresses } from '../../notify/addresses.ts';
import type { Storage } from '../../storage/storage.ts';
import type { EndedHold } from '../../storage/tables/holds.ts';
import type { LiveProcesses } from '../../storage/tables/processes.ts';
import type { Clock, Ticks } from '../../system/clock.ts';
import type { Log } from '../../system/log.ts';
import type { RandomSource } from '../../system/random.ts';
import type { MarkKeeper } from '../../vault/mark_keeper.ts';
import type { Vault } from '../../vault/vault.ts';

/** What everything is made of. */
export interface Foundations {
  /** What can be read again changes in it: it is read at each use (`config/live_config.ts`). */
  readonly config: Config;
  readonly storage: Storage;
  /** The same, for what is done from time to time: no request keeps it waiting for a connection. */
  readonly aside: Storage;
  readonly processes: LiveProcesses;
  readonly vault: Vault;
  readonly mark: MarkKeeper;
  readonly homeserver: Homeserver;
  readonly addresses: Addresses;
  /** The database's: of all that is written with a time. */
  readonly clock: Clock;
  /** The clock for the time steps of codes: authenticator apps and this machine agree on it. */
  readonly machineClock: Clock;
  /** What this process has lived. */
  readonly ticks: Ticks;
  readonly random: RandomSource;
  readonly log: Log;
  /** Hears of a held login that ended, once it is logged out. */
  readonly onHoldEnded: (held: EndedHold) => void;
  /** Those that are not in the list. */
  readonly furtherFactors: readonly CreateFactor[];
}
