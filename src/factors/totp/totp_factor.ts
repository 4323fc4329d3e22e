import { type JsonObject, TOTP_STAGE } from '../../matrix/wire.ts';
import type { Authenticator, FactorStore, StepToSpend } from '../../storage/stores.ts';
import { spendStep } from '../../storage/tables/authenticators.ts';
import type { Clock } from '../../system/clock.ts';
import type { Vault } from '../../vault/vault.ts';
import type { AttemptGate, Factor, FactorVerdict, SentCode } from '../factor.ts';
import { isTotpToken, matchStep } from './match_step.ts';
import type { TotpSettings } from './totp_settings.ts';

/** Codes of an authenticator app (RFC 6238); a user may have several authenticators. */
export class TotpFactor implements Factor {
  readonly stage = TOTP_STAGE;
  readonly isGuessable = true;

  constructor(
    private readonly parts: {
      readonly store: FactorStore;
      readonly vault: Vault;
      readonly clock: Clock;
    },
    private readonly settings: TotpSettings,
  ) {}

  available(userId: string): Promise<boolean> {
    return this.parts.store.isEnrolled(userId);
  }

  isWellFormed(token: string): boolean {
    return isTotpToken(token, this.settings.digits);
  }

  async verify({ userId, token }: SentCode, gate: AttemptGate): Promise<FactorVerdict> {
    const step = this.isWellFormed(token) ? await this.stepOf(userId, token) : undefined;
    const spent = await gate.spend(step && spendStep(userId, step));
    return spent !== undefined && step !== undefined
      ? { accepted: true, detail: { authenticator: step.authenticatorId } }
      : { accepted: false };
  }

  async describe(userId: string): Promise<JsonObject | undefined> {
    const authenticators = await this.parts.store.authenticators(userId);
    if (authenticators.length === 0) return undefined;
    return {
      authenticators: authenticators.map(({ id, name, enabledAt, lastUsedAt }) => ({
        id,
        name,
        enabled_at: enabledAt,
        last_used_at: lastUsedAt,
      })),
    };
  }

  /** The unspent step that the code is of. It decides nothing yet: another request may spend it first (R8). */
  private async stepOf(userId: string, token: string): Promise<StepToSpend | undefined> {
    for (const authenticator of await this.parts.store.authenticators(userId)) {
      const step = this.matchingStep(authenticator, token);
      if (step !== undefined && step > authenticator.lastStep) {
        return { authenticatorId: authenticator.id, step };
      }
    }
    return undefined;
  }

  private matchingStep({ id, userId, sealedSeed }: Authenticator, token: string): number | undefined {
    const seed = this.parts.vault.open(sealedSeed, `authenticator:${id}:${userId}`);
    return matchStep(seed, token, this.parts.clock.now(), this.settings);
  }
}
