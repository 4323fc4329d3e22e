import type { SecondFactorStage } from '../matrix/wire.ts';
import type { FactorStore } from '../storage/stores.ts';
import type { Clock } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';
import type { Factor } from './factor.ts';
import { RecoveryFactor } from './recovery/recovery_factor.ts';
import type { RecoveryHasher } from './recovery/recovery_hasher.ts';
import { TotpFactor } from './totp/totp_factor.ts';
import type { TotpSettings } from './totp/totp_settings.ts';

/** What factors are made of. */
export interface FactorParts {
  readonly store: FactorStore;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly hasher: RecoveryHasher;
  readonly totp: TotpSettings;
}

/** Every factor there is, in the order in which clients are offered them. */
export function everyFactor(parts: FactorParts): Factors {
  return new Factors([new TotpFactor(parts, parts.totp), new RecoveryFactor(parts)]);
}

/** The factors, found by their stage. */
export class Factors {
  constructor(readonly all: readonly Factor[]) {}

  /** @throws RangeError if no factor has this stage: the list and the stages have come apart. */
  ofStage(stage: SecondFactorStage): Factor {
    const factor = this.all.find((candidate) => candidate.stage === stage);
    if (!factor) throw new RangeError(`no factor is listed for the stage ${stage}`);
    return factor;
  }

  /** The stages that this user can use now, in the order of the list. */
  async stagesOf(userId: string): Promise<SecondFactorStage[]> {
    const availability = await Promise.all(this.all.map((factor) => factor.available(userId)));
    return this.all.filter((_, index) => availability[index]).map((factor) => factor.stage);
  }
}
