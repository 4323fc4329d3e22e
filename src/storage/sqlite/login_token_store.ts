import type { LoginTokenStore, PassedLoginToken } from '../stores.ts';
import type { GroupCommit } from './group_commit.ts';

/** The login tokens that were issued under 2FA. */
export class SqliteLoginTokenStore implements LoginTokenStore {
  readonly #commits: GroupCommit;

  constructor(commits: GroupCommit) {
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
           WHERE token_hash = :tokenHash AND user_id = :userId AND expires_at > :now`,
          { tokenHash, userId, now },
        ) === 1,
    );
  }

  dropExpired(now: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM passed_login_tokens WHERE expires_at <= :now', { now });
    });
  }
}
