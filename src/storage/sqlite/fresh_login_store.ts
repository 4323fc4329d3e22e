import type { FreshLogin, FreshLoginStore } from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

/** The access tokens that signed in with 2FA a moment ago. */
export class SqliteFreshLoginStore implements FreshLoginStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  remember(login: FreshLogin): Promise<void> {
    return this.#commits.write((db) => {
      db.run(
        `INSERT INTO fresh_logins (token_hash, user_id, password_digest, expires_at)
         VALUES (:tokenHash, :userId, :passwordDigest, :expiresAt)
         ON CONFLICT (token_hash) DO UPDATE SET user_id = excluded.user_id,
           password_digest = excluded.password_digest, expires_at = excluded.expires_at`,
        { ...login },
      );
    });
  }

  find(tokenHash: string, now: number): Promise<FreshLogin | undefined> {
    return this.#connection.read((db) =>
      db.get<FreshLogin>(
        `SELECT token_hash AS tokenHash, user_id AS userId, password_digest AS passwordDigest,
           expires_at AS expiresAt
         FROM fresh_logins WHERE token_hash = :tokenHash AND expires_at > :now`,
        { tokenHash, now },
      ),
    );
  }

  dropExpired(now: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM fresh_logins WHERE expires_at <= :now', { now });
    });
  }
}
