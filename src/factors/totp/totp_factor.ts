import { type JsonObject, TOTP_STAGE } from '../../matrix/wire.ts';
import type { Authenticator, FactorStore } from '../../storage/stores.ts';
import type { Clock } from '../../system/clock.ts';
import type { Vault } from '../../vault/vault.ts';
import type { Factor, FactorVerdict } from '../factor.ts';
import { isTotpToken, matchStep } from './match_step.ts';
import type { TotpSettings } from './totp_settings.ts';

/** Codes of an authenticator app (RFC 6238); a user may have several authenticators. */
export class TotpFactor implements Factor {
  readonly stage = TOTP_STAGE;
  readonly loginCounter = 'login';

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

  async verify(userId: string, token: string): Promise<FactorVerdict> {
    if (!this.isWellFormed(token)) return { accepted: false };
    for (const authenticator of await this.parts.store.authenticators(userId)) {
      if (await this.accepts(authenticator, token)) {
        return { accepted: true, detail: { authenticator: authenticator.id } };
      }
    }
    return { accepted: false };
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

  /** Whether the code is of this authenticator and its step is spent by this very call (R8). */
  private async accepts(authenticator: Authenticator, token: string): Promise<boolean> {
    const { id, userId, sealedSeed } = authenticator;
    const now = this.parts.clock.now();
    const seed = this.parts.vault.open(sealedSeed, `authenticator:${id}:${userId}`);
    const step = matchStep(seed, token, now, this.settings);
    return step !== undefined && this.parts.store.spendStep(userId, id, step, now);
  }
}
