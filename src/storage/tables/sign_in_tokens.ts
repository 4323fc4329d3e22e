import { dropInParts, dropSome } from '../dropping.ts';
import { ask, type Driver, type Effect, effect, type Query } from '../statement.ts';

/** A login token that the sign-in page handed out: it stands for one held login. */
export interface SignInToken {
  readonly tokenHash: string;
  readonly holdId: string;
  readonly userId: string;
  /** Whether it was given for a second factor; false: the account had none. */
  readonly secondFactor: boolean;
  readonly expiresAt: number;
}

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

export function forgetSignInTokensOfHold(holdId: string): Effect {
  return effect('DELETE FROM sign_in_tokens WHERE hold_id = :holdId', { holdId });
}

/** That a token is redeemed once is decided by the hold, which is released once. */
export interface SignInTokenStore {
  remember(token: SignInToken): Promise<void>;
  find(tokenHash: string): Promise<SignInToken | undefined>;
  forget(tokenHash: string): Promise<void>;
  dropExpired(): Promise<void>;
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
    await dropInParts(this.driver, [dropSome('sign_in_tokens', 'expires_at <= :now')]);
  }
}
