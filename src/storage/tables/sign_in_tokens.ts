import { ask, type Effect, effect, type Query } from '../statement.ts';
import type { Driver, SignInToken, SignInTokenStore } from '../stores.ts';

/** A token as its row holds it: SQLite has no booleans. */
export type SignInTokenRow = Omit<SignInToken, 'secondFactor'> & { readonly secondFactor: number };

export function rememberSignInToken(token: SignInToken): Effect {
  return effect(
    `INSERT INTO sign_in_tokens (token_hash, hold_id, user_id, second_factor, expires_at)
     VALUES (:tokenHash, :holdId, :userId, :secondFactor, :expiresAt)`,
    { ...token, secondFactor: token.secondFactor ? 1 : 0 },
  );
}

export function findSignInToken(tokenHash: string): Query<SignInTokenRow> {
  return ask(
    `SELECT token_hash AS "tokenHash", hold_id AS "holdId", user_id AS "userId",
       second_factor AS "secondFactor", expires_at AS "expiresAt"
     FROM sign_in_tokens WHERE token_hash = :tokenHash AND expires_at > :now`,
    { tokenHash },
  );
}

export function forgetSignInToken(tokenHash: string): Effect {
  return effect('DELETE FROM sign_in_tokens WHERE token_hash = :tokenHash', { tokenHash });
}

/** The login tokens of the sign-in page. */
export class SignInTokenTable implements SignInTokenStore {
  constructor(private readonly driver: Driver) {}

  async remember(token: SignInToken): Promise<void> {
    await this.driver.commit([token.userId], rememberSignInToken(token));
  }

  async find(tokenHash: string): Promise<SignInToken | undefined> {
    const [row] = await this.driver.read(findSignInToken(tokenHash));
    return row && { ...row, secondFactor: row.secondFactor === 1 };
  }

  async forget(tokenHash: string): Promise<void> {
    await this.driver.commit([], forgetSignInToken(tokenHash));
  }

  async dropExpired(): Promise<void> {
    await this.driver.commit([], effect('DELETE FROM sign_in_tokens WHERE expires_at <= :now'));
  }
}
