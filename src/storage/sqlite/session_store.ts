import type { SessionStore, StoredSession } from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

const SESSION = `
  id_hash AS idHash, sealed_id AS sealedId, target, user_id AS userId, token_hash AS tokenHash, flows,
  completed, sealed_body AS sealedBody, body_digest AS bodyDigest, sealed_password AS sealedPassword,
  sealed_token AS sealedToken, device_id AS deviceId,
  hold_id AS holdId, failures, created_at AS createdAt, expires_at AS expiresAt`;

/** A session as its row holds it: lists are JSON. */
type SessionRow = Omit<StoredSession, 'flows' | 'completed'> & { flows: string; completed: string };

/** The UIA sessions. */
export class SqliteSessionStore implements SessionStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  open(session: StoredSession, maximum: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run(
        `INSERT INTO sessions (id_hash, sealed_id, target, user_id, token_hash, flows, completed, sealed_body,
           body_digest, sealed_password, sealed_token, device_id, hold_id, failures, created_at, expires_at)
         VALUES (:idHash, :sealedId, :target, :userId, :tokenHash, :flows, :completed, :sealedBody,
           :bodyDigest, :sealedPassword, :sealedToken, :deviceId, :holdId, :failures, :createdAt, :expiresAt)`,
        {
          ...session,
          flows: JSON.stringify(session.flows),
          completed: JSON.stringify(session.completed),
        },
      );
      dropOldest(db, countSessions(db) - maximum);
    });
  }

  find(idHash: string, now: number): Promise<StoredSession | undefined> {
    return this.#newest('id_hash = :idHash', { idHash, now });
  }

  findBound(tokenHash: string, target: string, now: number): Promise<StoredSession | undefined> {
    return this.#newest('token_hash = :tokenHash AND target = :target', { tokenHash, target, now });
  }

  findOfHold(holdId: string, bodyDigest: string, now: number): Promise<StoredSession | undefined> {
    return this.#newest('hold_id = :holdId AND body_digest = :bodyDigest', { holdId, bodyDigest, now });
  }

  complete(idHash: string, expected: readonly string[], stage: string): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          'UPDATE sessions SET completed = :completed WHERE id_hash = :idHash AND completed = :expected',
          { idHash, expected: JSON.stringify(expected), completed: JSON.stringify([...expected, stage]) },
        ) === 1,
    );
  }

  bindBody(idHash: string, sealedBody: Buffer, bodyDigest: string): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          `UPDATE sessions SET sealed_body = :sealedBody, body_digest = :bodyDigest
           WHERE id_hash = :idHash AND sealed_body IS NULL`,
          { idHash, sealedBody, bodyDigest },
        ) === 1,
    );
  }

  bindPassword(idHash: string, sealedPassword: Buffer): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run('UPDATE sessions SET sealed_password = :sealedPassword WHERE id_hash = :idHash', {
          idHash,
          sealedPassword,
        }) === 1,
    );
  }

  countFailure(idHash: string): Promise<number> {
    return this.#commits.write(
      (db) =>
        db.get<{ failures: number }>(
          'UPDATE sessions SET failures = failures + 1 WHERE id_hash = :idHash RETURNING failures',
          { idHash },
        )?.failures ?? Number.MAX_SAFE_INTEGER,
    );
  }

  end(idHash: string): Promise<boolean> {
    return this.#commits.write(
      (db) => db.run('DELETE FROM sessions WHERE id_hash = :idHash', { idHash }) === 1,
    );
  }

  endForUser(userId: string, tokenHash?: string): Promise<void> {
    return this.#commits.write((db) => {
      db.run(
        `DELETE FROM sessions
         WHERE user_id = :userId AND (:tokenHash IS NULL OR token_hash = :tokenHash)`,
        { userId, tokenHash: tokenHash ?? null },
      );
    });
  }

  dropExpired(now: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM sessions WHERE expires_at <= :now', { now });
    });
  }

  count(): Promise<number> {
    return this.#connection.read(countSessions);
  }

  /** @param condition in SQL, of our own words only */
  #newest(
    condition: string,
    values: { readonly now: number } & Readonly<Record<string, string | number>>,
  ): Promise<StoredSession | undefined> {
    return this.#connection.read((db) =>
      fromRow(
        db.get<SessionRow>(
          `SELECT ${SESSION} FROM sessions
           WHERE ${condition} AND expires_at > :now
           ORDER BY created_at DESC, rowid DESC LIMIT 1`,
          values,
        ),
      ),
    );
  }
}

function countSessions(db: Connection): number {
  return db.get<{ count: number }>('SELECT count(*) AS count FROM sessions')?.count ?? 0;
}

/**
 * Memory and disk stay bounded however many sign-ins are begun (attack 71). Whoever has most loses his oldest, so
 * that nobody crowds out the sessions of others.
 */
function dropOldest(db: Connection, excess: number): void {
  for (let dropped = 0; dropped < excess; dropped++) {
    db.run(
      `DELETE FROM sessions WHERE rowid =
         (SELECT rowid FROM sessions WHERE user_id =
            (SELECT user_id FROM sessions GROUP BY user_id ORDER BY count(*) DESC, min(rowid) LIMIT 1)
          ORDER BY created_at, rowid LIMIT 1)`,
    );
  }
}

function fromRow(row: SessionRow | undefined): StoredSession | undefined {
  if (row === undefined) return undefined;
  return { ...row, flows: JSON.parse(row.flows), completed: JSON.parse(row.completed) };
}
