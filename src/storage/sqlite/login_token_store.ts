import type { LoginTokenStore, PassedLoginToken } from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

/** The login tokens that were issued under 2FA. */
export class SqliteLoginTokenStore implements LoginTokenStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  remember(token: PassedLoginToken): Promise<void> {
    return this.#commits.write((db) => {
      db.run(
        `INSERT INTO passed_login_tokens (token_hash, user_id, expires_at)
         VALUES (:tokenHash, :userId, :expiresAt)
         ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id, expires_at = excluded.expires_at`,
        { ...token },
      );
    });
  }

  redeem(tokenHash: string, userId: string, now: number): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          `DELETE FROM passed_login_tokens
           WHERE token_hash = :tokenHash AND user_id = :userId AND expires_at > :now AND ended = 0`,
          { tokenHash, userId, now },
        ) === 1,
    );
  }

  isEnded(tokenHash: string, now: number): Promise<boolean> {
    return this.#connection.read(
      (db) =>
        db.get(
          `SELECT 1 FROM passed_login_tokens
           WHERE token_hash = :tokenHash AND expires_at > :now AND ended = 1`,
          { tokenHash, now },
        ) !== undefined,
    );
  }

  dropExpired(now: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM passed_login_tokens WHERE expires_at <= :now', { now });
    });
  }
}
