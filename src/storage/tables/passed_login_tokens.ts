import { ask, type Decision, type Driver, decide, type Effect, effect, type Query } from '../statement.ts';

/** A login token that was issued under 2FA, remembered by its hash. */
export interface PassedLoginToken {
  readonly tokenHash: string;
  readonly userId: string;
  readonly expiresAt: number;
}

export function rememberPassedToken(token: PassedLoginToken): Effect {
  return effect(
    `INSERT INTO passed_login_tokens (token_hash, user_id, expires_at)
     VALUES (:tokenHash, :userId, :expiresAt)
     ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at`,
    { ...token },
  );
}

/** Takes a token out, in its time, for its user. */
export function redeemPassedToken(tokenHash: string, userId: string): Decision<object> {
  return decide(
    `DELETE FROM passed_login_tokens
     WHERE token_hash = :tokenHash AND user_id = :userId AND expires_at > :now AND ended = 0`,
    { tokenHash, userId },
  );
}

function findEndedToken(tokenHash: string): Query<object> {
  return ask(
    'SELECT 1 AS found FROM passed_login_tokens WHERE token_hash = :tokenHash AND expires_at > :now AND ended = 1',
    { tokenHash },
  );
}

export function endPassedTokens(userId: string): Effect {
  return effect('UPDATE passed_login_tokens SET ended = 1 WHERE user_id = :userId', { userId });
}

export interface LoginTokenStore {
  remember(token: PassedLoginToken): Promise<void>;
  /** Takes the token out: true once, in its time, for that user, unless it was ended (`FactorStore.endProofs`). */
  redeem(tokenHash: string, userId: string): Promise<boolean>;
  /** Whether the token was issued under 2FA and ended since. */
  isEnded(tokenHash: string): Promise<boolean>;
  dropExpired(): Promise<void>;
}

/** The login tokens that were issued under 2FA. */
export class PassedLoginTokenTable implements LoginTokenStore {
  constructor(private readonly driver: Driver) {}

  async remember(token: PassedLoginToken): Promise<void> {
    await this.driver.commit([token.userId], rememberPassedToken(token));
  }

  async redeem(tokenHash: string, userId: string): Promise<boolean> {
    return (await this.driver.commit([userId], redeemPassedToken(tokenHash, userId))) !== undefined;
  }

  async isEnded(tokenHash: string): Promise<boolean> {
    return (await this.driver.read(findEndedToken(tokenHash))).length > 0;
  }

  async dropExpired(): Promise<void> {
    await this.driver.commit([], effect('DELETE FROM passed_login_tokens WHERE expires_at <= :now'));
  }
}
