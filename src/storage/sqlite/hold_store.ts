import type { AuditRecord, EndedHold, HeldLogin, HoldStore } from '../stores.ts';
import { appendRecord } from './audit_store.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

const HELD_LOGIN = `
  id, user_id AS userId, device_id AS deviceId, join_key AS joinKey, folded_join_key AS foldedJoinKey,
  owner_join_key AS ownerJoinKey,  sealed_grant AS sealedGrant, at_end AS atEnd, created_at AS createdAt, expires_at AS expiresAt`;

/** To end a hold is to take it from whoever is finishing it, too. */
const END_NOW = 'expires_at = min(expires_at, :now), claimant = NULL, claimed_until = 0';

/** The held logins (R10, R12). */
export class SqliteHoldStore implements HoldStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  hold(held: HeldLogin): Promise<void> {
    return this.#commits.write((db) => {
      db.run(
        `INSERT INTO holds (id, user_id, device_id, join_key, folded_join_key, owner_join_key, sealed_grant,
           at_end, created_at, expires_at)
         VALUES (:id, :userId, :deviceId, :joinKey, :foldedJoinKey, :ownerJoinKey, :sealedGrant,
           :atEnd, :createdAt, :expiresAt)`,
        { ...held },
      );
    });
  }

  find(id: string, now: number): Promise<HeldLogin | undefined> {
    return this.#connection.read((db) =>
      db.get<HeldLogin>(`SELECT ${HELD_LOGIN} FROM holds WHERE id = :id AND expires_at > :now`, { id, now }),
    );
  }

  claim(id: string, claimant: string, now: number, until: number): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(
          `UPDATE holds SET claimant = :claimant, claimed_until = :until
           WHERE id = :id AND expires_at > :now AND claimed_until <= :now AND leased_until = 0`,
          { id, claimant, now, until },
        ) === 1,
    );
  }

  unclaim(id: string, claimant: string): Promise<void> {
    return this.#commits.write((db) => {
      db.run('UPDATE holds SET claimant = NULL, claimed_until = 0 WHERE id = :id AND claimant = :claimant', {
        id,
        claimant,
      });
    });
  }

  take(id: string, now: number, record: AuditRecord | null): Promise<boolean> {
    return this.#commits.write((db) => {
      const taken = db.run(
        `DELETE FROM holds
         WHERE id = :id AND expires_at > :now AND claimed_until <= :now AND leased_until = 0`,
        { id, now },
      );
      if (taken !== 1) return false;
      if (record !== null) appendRecord(db, record);
      return true;
    });
  }

  end(id: string, claimant: string, now: number): Promise<boolean> {
    return this.#commits.write(
      (db) =>
        db.run(`UPDATE holds SET ${END_NOW} WHERE id = :id AND claimant = :claimant`, {
          id,
          claimant,
          now,
        }) === 1,
    );
  }

  countForUser(userId: string, now: number): Promise<number> {
    return this.#connection.read(
      (db) =>
        db.get<{ count: number }>(
          'SELECT count(*) AS count FROM holds WHERE user_id = :userId AND expires_at > :now',
          { userId, now },
        )?.count ?? 0,
    );
  }

  leaseEnded(now: number, leaseUntil: number, limit: number): Promise<EndedHold[]> {
    return this.#commits.write((db) =>
      // A claim that ran out is over: its claimant can no longer finish what is being logged out.
      db.all<EndedHold>(
        `UPDATE holds SET leased_until = :leaseUntil, claimant = NULL, attempts = attempts + 1 WHERE rowid IN
           (SELECT rowid FROM holds WHERE due_at <= :now ORDER BY due_at LIMIT :limit)
         RETURNING ${HELD_LOGIN}, attempts`,
        { now, leaseUntil, limit },
      ),
    );
  }

  leaseUntil(id: string, until: number): Promise<void> {
    return this.#commits.write((db) => {
      db.run('UPDATE holds SET leased_until = :until WHERE id = :id', { id, until });
    });
  }

  forget(id: string): Promise<void> {
    return this.#commits.write((db) => {
      db.run('DELETE FROM holds WHERE id = :id', { id });
    });
  }

  nextEnd(): Promise<number | undefined> {
    return this.#connection.read(
      (db) => db.get<{ next: number | null }>('SELECT min(due_at) AS next FROM holds')?.next ?? undefined,
    );
  }
}

/** Ends the live holds of a user, and those past their time that somebody is finishing. */
export function endHoldsOfUser(db: Connection, userId: string, now: number): number {
  return db.run(
    `UPDATE holds SET ${END_NOW}
     WHERE user_id = :userId AND (expires_at > :now OR claimant IS NOT NULL)`,
    { userId, now },
  );
}
