import type { FactorStore } from '../storage/stores.ts';
import type { Clock } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';
import type { Factor } from './factor.ts';
import { Factors } from './factors.ts';
import { RecoveryFactor } from './recovery/recovery_factor.ts';
import type { RecoveryHasher } from './recovery/recovery_hasher.ts';
import { TotpFactor } from './totp/totp_factor.ts';
import type { TotpSettings } from './totp/totp_settings.ts';

/** What the factors of this list are made of. */
export interface FactorDeps {
  readonly store: FactorStore;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly hasher: RecoveryHasher;
  readonly totp: TotpSettings;
}

/** Every factor there is: a line each. Clients are offered them in this order, the primary ones first. */
const FACTORS: readonly ((deps: FactorDeps) => Factor)[] = [
  (deps) => new TotpFactor(deps, deps.totp),
  (deps) => new RecoveryFactor(deps, deps.totp.digits),
];

/** Makes every factor of the list. */
export function createFactors(deps: FactorDeps): Factors {
  return new Factors(FACTORS.map((create) => create(deps)));
}
