import type { Config } from '../config/config.ts';
import type { Storage } from '../storage/storage.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import { type Clock, SECOND } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import type { Vault } from '../vault/vault.ts';
import type { Factor } from './factor.ts';
import { Factors } from './factors.ts';
import { RecoveryFactor } from './recovery/recovery_factor.ts';
import type { RecoveryHasher } from './recovery/recovery_hasher.ts';
import { TotpFactor } from './totp/totp_factor.ts';
import type { TotpSettings } from './totp/totp_settings.ts';
import { WebauthnFactor } from './webauthn/webauthn_factor.ts';
import type { WebauthnSettings } from './webauthn/webauthn_settings.ts';

/** What any factor can be made of. */
export interface FactorDeps {
  readonly storage: Pick<Storage, 'read' | 'commit'>;
  readonly store: FactorStore;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** What the factors of this list are made of. */
export interface ListedFactorDeps extends FactorDeps {
  readonly hasher: RecoveryHasher;
  readonly totp: TotpSettings;
  /** Undefined: passkeys and security keys are off. */
  readonly webauthn: WebauthnSettings | undefined;
  /** Whether the operator lets this user have recovery codes. */
  readonly mayHaveCodes: (userId: string) => Promise<boolean>;
}

/** What the configuration says of the factors of this list. */
export function factorSettings({
  totp,
  webauthn,
}: Pick<Config, 'totp' | 'webauthn'>): Pick<ListedFactorDeps, 'totp' | 'webauthn'> {
  return { totp: { ...totp, period: totp.periodMs / SECOND }, webauthn };
}

/** Makes a factor that is not in this list (`createProxy`). */
export type CreateFactor = (deps: FactorDeps) => Factor;

/** Every factor there is: a line each. Clients are offered them in this order, the primary ones first. */
const FACTORS: readonly ((deps: ListedFactorDeps) => Factor)[] = [
  (deps) => new TotpFactor(deps, deps.totp),
  (deps) => new WebauthnFactor(deps, deps.webauthn),
  (deps) => new RecoveryFactor(deps, deps.totp.digits),
];

/**
 * Makes every factor of the list.
 * @param further those that the program which uses this library adds
 */
export function createFactors(deps: ListedFactorDeps, further: readonly CreateFactor[] = []): Factors {
  return new Factors([...FACTORS, ...further].map((create) => create(deps)));
}
