import { dropInParts, dropSome } from '../dropping.ts';
import { ask, type Driver, type Effect, effect, type Query } from '../statement.ts';

/**
 * A token that signed in with 2FA a moment ago: no second code for its first key upload (spec/guarded_endpoints.md,
 * "Cross-signing keys").
 */
export interface FreshLogin {
  readonly tokenHash: string;
  readonly userId: string;
  /** Keyed digest of the login password as sent, its appended code included; null for other doors. */
  readonly passwordDigest: string | null;
  readonly expiresAt: number;
}

export function rememberFreshLogin(login: FreshLogin): Effect {
  return effect(
    `INSERT INTO fresh_logins (token_hash, user_id, password_digest, expires_at)
     VALUES (:tokenHash, :userId, :passwordDigest, :expiresAt)
     ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id,
       password_digest = excluded.password_digest, expires_at = excluded.expires_at`,
    { ...login },
  );
}

export function findFreshLogin(tokenHash: string): Query<FreshLogin> {
  return ask(
    `SELECT token_hash AS "tokenHash", user_id AS "userId", password_digest AS "passwordDigest",
       expires_at AS "expiresAt"
     FROM fresh_logins WHERE token_hash = :tokenHash AND expires_at > :now`,
    { tokenHash },
  );
}

export function endFreshLogins(userId: string): Effect {
  return effect('DELETE FROM fresh_logins WHERE user_id = :userId', { userId });
}

export interface FreshLoginStore {
  remember(login: FreshLogin): Promise<void>;
  find(tokenHash: string): Promise<FreshLogin | undefined>;
  dropExpired(): Promise<void>;
}

/** The access tokens that signed in with 2FA a moment ago. */
export class FreshLoginTable implements FreshLoginStore {
  constructor(private readonly driver: Driver) {}

  async remember(login: FreshLogin): Promise<void> {
    await this.driver.commit([login.userId], rememberFreshLogin(login));
  }

  async find(tokenHash: string): Promise<FreshLogin | undefined> {
    return (await this.driver.read(findFreshLogin(tokenHash)))[0];
  }

  async dropExpired(): Promise<void> {
    await dropInParts(this.driver, [dropSome('fresh_logins', 'expires_at <= :now')]);
  }
}
