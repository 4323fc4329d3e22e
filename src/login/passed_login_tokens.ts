import { hashToken } from '../second_factor/fresh_logins.ts';
import type { LoginTokenStore } from '../storage/stores.ts';
import type { Clock } from '../system/clock.ts';

/**
 * Login tokens that the homeserver issued under 2FA (`get_token`): redeeming one, once, in its time and for
 * that user, needs no second code (DESIGN §4, sign-in of another device by QR; attack 36).
 */
export class PassedLoginTokens {
  constructor(
    private readonly store: LoginTokenStore,
    private readonly clock: Clock,
  ) {}

  /** Remembers a token of `userId` for `lifeMs`. */
  remember(loginToken: string, userId: string, lifeMs: number): Promise<void> {
    return this.store.remember({
      tokenHash: hashToken(loginToken),
      userId,
      expiresAt: this.clock.now() + lifeMs,
    });
  }

  /** Takes the token out: true for exactly one caller. */
  redeem(loginToken: string, userId: string): Promise<boolean> {
    return this.store.redeem(hashToken(loginToken), userId, this.clock.now());
  }

  /** Whether it was issued under 2FA and ended with a change of factors or password: it signs nobody in (attack 153). */
  isEnded(loginToken: string): Promise<boolean> {
    return this.store.isEnded(hashToken(loginToken), this.clock.now());
  }
}
