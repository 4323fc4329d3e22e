import type { Values } from '../statement.ts';
import type { SessionLimits, SessionState, SessionStore, StoredSession } from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

const SESSION = `
  id_hash AS idHash, sealed_id AS sealedId, target, user_id AS userId, token_hash AS tokenHash, flows,
  completed, sealed_body AS sealedBody, body_digest AS bodyDigest, sealed_password AS sealedPassword,
  sealed_token AS sealedToken, device_id AS deviceId,
  hold_id AS holdId, pot, network, failures, created_at AS createdAt, expires_at AS expiresAt`;

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

  open(session: StoredSession, limits: SessionLimits): Promise<void> {
    return this.#commits.write((db) => {
      db.run(
        `INSERT INTO sessions (id_hash, sealed_id, target, user_id, token_hash, flows, completed, sealed_body,
           body_digest, sealed_password, sealed_token, device_id, hold_id, pot, network, failures, created_at,
           expires_at)
         VALUES (:idHash, :sealedId, :target, :userId, :tokenHash, :flows, :completed, :sealedBody,
           :bodyDigest, :sealedPassword, :sealedToken, :deviceId, :holdId, :pot, :network, :failures, :createdAt,
           :expiresAt)`,
        {
          ...session,
          flows: JSON.stringify(session.flows),
          completed: JSON.stringify(session.completed),
        },
      );
      dropExcess(db, session, limits);
    });
  }

  find(idHash: string, now: number): Promise<StoredSession | undefined> {
    return this.#first('id_hash = :idHash', 'created_at', { idHash, now });
  }

  findBound(
    tokenHash: string,
    target: string,
    bodyDigest: string | null,
    now: number,
  ): Promise<StoredSession | undefined> {
    return this.#first(
      `token_hash = :tokenHash AND target = :target
         AND (:bodyDigest IS NULL OR body_digest = :bodyDigest OR (body_digest IS NULL AND completed = '[]'))`,
      'created_at DESC, rowid DESC',
      { tokenHash, target, bodyDigest, now },
    );
  }

  findOfHold(holdId: string, bodyDigest: string, now: number): Promise<StoredSession | undefined> {
    return this.#first(
      'hold_id = :holdId AND body_digest = :bodyDigest',
      'length(completed) DESC, created_at DESC, rowid DESC',
      { holdId, bodyDigest, now },
    );
  }

  complete({ idHash, completed, bodyDigest }: SessionState, stage: string): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          `UPDATE sessions SET completed = :completed
           WHERE id_hash = :idHash AND completed = :expected AND body_digest IS :bodyDigest`,
          {
            idHash,
            bodyDigest,
            expected: JSON.stringify(completed),
            completed: JSON.stringify([...completed, stage]),
          },
        ) === 1,
    );
  }

  bindBody(idHash: string, sealedBody: Buffer | null, bodyDigest: string): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          `UPDATE sessions SET sealed_body = :sealedBody, body_digest = :bodyDigest
           WHERE id_hash = :idHash AND body_digest IS NULL AND completed = '[]'`,
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

  endOfToken(userId: string, tokenHash: string): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM sessions WHERE user_id = :userId AND token_hash = :tokenHash', {
        userId,
        tokenHash,
      });
    });
  }

  dropExpired(now: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM sessions WHERE expires_at <= :now', { now });
    });
  }

  count(): Promise<number> {
    return this.#connection.read((db) => countWhere(db, 'TRUE', {}));
  }

  /**
   * Only the row that is found is read whole: what is sealed in the others is never looked at (attack 122).
   * @param condition and `order` in SQL, of our own words only
   */
  #first(
    condition: string,
    order: string,
    values: { readonly now: number } & Values,
  ): Promise<StoredSession | undefined> {
    return this.#connection.read((db) =>
      fromRow(
        db.get<SessionRow>(
          `SELECT ${SESSION} FROM sessions WHERE rowid =
             (SELECT rowid FROM sessions WHERE ${condition} AND expires_at > :now ORDER BY ${order} LIMIT 1)`,
          values,
        ),
      ),
    );
  }
}

function countWhere(db: Connection, condition: string, values: Values): number {
  return (
    db.get<{ count: number }>(`SELECT count(*) AS count FROM sessions WHERE ${condition}`, values)?.count ?? 0
  );
}

/**
 * Memory and disk stay bounded however many sign-ins are begun (attacks 71, 122), and what goes belongs to who has
 * most: of a held login and of a token to the network with most, of a pot to the user with most (attack 138).
 */
function dropExcess(db: Connection, opened: StoredSession, limits: SessionLimits): void {
  const { idHash, pot, userId, holdId, tokenHash } = opened;
  if (holdId !== null) {
    dropDownTo(db, limits.perHoldOrToken, 'hold_id = :holdId AND pot = :pot', { idHash, holdId, pot });
  }
  if (tokenHash !== null) {
    dropDownTo(db, limits.perHoldOrToken, 'token_hash = :tokenHash', { idHash, tokenHash });
  }
  dropDownTo(db, limits.perUser, 'pot = :pot AND user_id = :userId', { idHash, pot, userId });
  let excess = countWhere(db, 'pot = :pot', { pot }) - limits.perPot;
  for (; excess > 0; excess -= 1) {
    const most = db.get<{ userId: string }>(
      `SELECT user_id AS userId FROM sessions WHERE pot = :pot AND id_hash <> :idHash
       GROUP BY user_id ORDER BY count(*) DESC, min(rowid) LIMIT 1`,
      { pot, idHash },
    );
    if (most === undefined) return;
    dropOne(db, 'pot = :pot AND user_id = :userId', { idHash, pot, userId: most.userId });
  }
}

/** @param scope in SQL, of our own words only */
function dropDownTo(db: Connection, maximum: number, scope: string, values: Values): void {
  for (let excess = countWhere(db, scope, values) - maximum; excess > 0; excess -= 1)
    dropOne(db, scope, values);
}

/** Of the sessions in `scope` the oldest of the network with most, but not the one that was opened just now. */
function dropOne(db: Connection, scope: string, values: Values): void {
  db.run(
    `DELETE FROM sessions WHERE rowid =
       (SELECT rowid FROM sessions WHERE ${scope} AND id_hash <> :idHash AND network IS
          (SELECT network FROM sessions WHERE ${scope} AND id_hash <> :idHash
           GROUP BY network ORDER BY count(*) DESC, min(rowid) LIMIT 1)
        ORDER BY created_at, rowid LIMIT 1)`,
    values,
  );
}

function fromRow(row: SessionRow | undefined): StoredSession | undefined {
  if (row === undefined) return undefined;
  return { ...row, flows: JSON.parse(row.flows), completed: JSON.parse(row.completed) };
}
