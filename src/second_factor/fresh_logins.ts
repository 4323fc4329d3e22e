import type { Effect } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { rememberFreshLogin } from '../storage/tables/fresh_logins.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';

/** How long a sign-in with a second factor counts as fresh (spec/guarded_endpoints.md, "Cross-signing keys"). */
const FRESH_MS = 10 * MINUTE;
const PURPOSE = 'fresh-login';

/** Tokens that signed in with a second factor a moment ago: no second code for their first key upload. */
export class FreshLogins {
  constructor(
    private readonly storage: Storage,
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  /**
   * Remembers a token, in the unit that hands it out. `passwordWithCode` is the password field as it was sent if a
   * code stood at its end: matrix-rust-sdk replays it at its first key upload.
   */
  remembered(tokenHash: string, userId: string, passwordWithCode: string | undefined): Effect {
    return rememberFreshLogin({
      tokenHash,
      userId,
      passwordDigest:
        passwordWithCode === undefined
          ? null
          : this.vault.digest(PURPOSE, JSON.stringify([userId, passwordWithCode])),
      expiresAt: this.clock.now() + FRESH_MS,
    });
  }

  /** Whether the token of `userId` is fresh from a sign-in with a second factor. */
  async isFresh(accessToken: string, userId: string): Promise<boolean> {
    const fresh = await this.storage.freshLogins.find(hashToken(accessToken));
    return fresh?.userId === userId;
  }

  /** Whether `password` is what this fresh token signed in with, its spent code included. */
  async isLoginPassword(accessToken: string, userId: string, password: string): Promise<boolean> {
    const fresh = await this.storage.freshLogins.find(hashToken(accessToken));
    if (fresh?.userId !== userId || fresh.passwordDigest === null) return false;
    return this.vault.isDigest(fresh.passwordDigest, PURPOSE, JSON.stringify([userId, password]));
  }
}
