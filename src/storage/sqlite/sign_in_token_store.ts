import type { SignInToken, SignInTokenStore } from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

/** SQLite has no booleans. */
type SignInTokenRow = Omit<SignInToken, 'secondFactor'> & { readonly secondFactor: 0 | 1 };

/** The login tokens of the sign-in page. */
export class SqliteSignInTokenStore implements SignInTokenStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  remember(token: SignInToken): Promise<void> {
    return this.#commits.write((db) => {
      db.run(
        `INSERT INTO sign_in_tokens (token_hash, hold_id, user_id, second_factor, expires_at)
         VALUES (:tokenHash, :holdId, :userId, :secondFactor, :expiresAt)`,
        { ...token, secondFactor: token.secondFactor ? 1 : 0 },
      );
    });
  }

  find(tokenHash: string, now: number): Promise<SignInToken | undefined> {
    return this.#connection.read((db) => {
      const row = db.get<SignInTokenRow>(
        `SELECT token_hash AS tokenHash, hold_id AS holdId, user_id AS userId,
           second_factor AS secondFactor, expires_at AS expiresAt
         FROM sign_in_tokens WHERE token_hash = :tokenHash AND expires_at > :now`,
        { tokenHash, now },
      );
      return row && { ...row, secondFactor: row.secondFactor === 1 };
    });
  }

  forget(tokenHash: string): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM sign_in_tokens WHERE token_hash = :tokenHash', { tokenHash });
    });
  }

  dropExpired(now: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM sign_in_tokens WHERE expires_at <= :now', { now });
    });
  }
}
