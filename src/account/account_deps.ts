import type { Audit } from '../audit/audit.ts';
import type { Factors } from '../factors/factors.ts';
import type { RecoverySetDeps } from '../factors/recovery/new_recovery_set.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { Lanes } from '../limits/lanes.ts';
import type { Standings } from '../second_factor/standing.ts';
import type { StepUps } from '../second_factor/step_ups.ts';
import type { Storage } from '../storage/storage.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import type { Clock } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import type { MarkKeeper } from '../vault/mark_keeper.ts';
import type { Vault } from '../vault/vault.ts';

/** What the endpoints of the two-factor API are made of. */
export interface AccountDeps {
  readonly store: FactorStore;
  readonly storage: Storage;
  readonly factors: Factors;
  readonly standings: Standings;
  readonly homeserver: Homeserver;
  readonly recovery: RecoverySetDeps;
  readonly lanes: Lanes;
  readonly stepUps: StepUps;
  readonly vault: Vault;
  readonly mark: MarkKeeper;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly audit: Audit;
}

export interface AccountSettings {
  /** Recovery codes in a set. */
  readonly recoveryCount: number;
  /** How long a set-up waits for its first code, in ms. */
  readonly setupTtlMs: number;
}
