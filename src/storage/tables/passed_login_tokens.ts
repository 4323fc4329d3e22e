import { dropInParts, dropSome } from '../dropping.ts';
import { ask, type Decision, type Driver, decide, type Effect, effect, type Query } from '../statement.ts';
import { currentVersion } from './accounts.ts';

/** A login token that was issued under 2FA, remembered by its hash. */
export interface PassedLoginToken {
  readonly tokenHash: string;
  readonly userId: string;
  readonly expiresAt: number;
}

/**
 * Remembers a token; one that was ended stays so.
 * @param version of its user's account, under which it was issued: under another one it has ended already
 */
export function rememberPassedToken(token: PassedLoginToken, version: number): Effect {
  return effect(
    `INSERT INTO passed_login_tokens (token_hash, user_id, expires_at, ended)
     VALUES (:tokenHash, :userId, :expiresAt, CASE WHEN ${currentVersion(':userId')} = :version THEN 0 ELSE 1 END)
     ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at,
       ended = CASE WHEN excluded.ended = 1 THEN 1 ELSE passed_login_tokens.ended END`,
    { ...token, version },
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
  /** As `rememberPassedToken`. */
  remember(token: PassedLoginToken, version: number): Promise<void>;
  /** Takes the token out: true once, in its time, for that user, unless it was ended (`FactorStore.endProofs`). */
  redeem(tokenHash: string, userId: string): Promise<boolean>;
  /** Whether the token was issued under 2FA and ended since. */
  isEnded(tokenHash: string): Promise<boolean>;
  dropExpired(): Promise<void>;
}

/** The login tokens that were issued under 2FA. */
export class PassedLoginTokenTable implements LoginTokenStore {
  constructor(private readonly driver: Driver) {}

  async remember(token: PassedLoginToken, version: number): Promise<void> {
    await this.driver.commit([token.userId], rememberPassedToken(token, version));
  }

  async redeem(tokenHash: string, userId: string): Promise<boolean> {
    return (await this.driver.commit([userId], redeemPassedToken(tokenHash, userId))) !== undefined;
  }

  async isEnded(tokenHash: string): Promise<boolean> {
    return (await this.driver.read(findEndedToken(tokenHash))).length > 0;
  }

  async dropExpired(): Promise<void> {
    await dropInParts(this.driver, [dropSome('passed_login_tokens', 'expires_at <= :now')]);
  }
}
