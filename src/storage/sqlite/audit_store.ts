import type { AuditRecord, AuditStore } from '../stores.ts';
import type { AuditRow } from '../tables/audit.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

const NO_LIMIT = -1;

/** The audit: lines are added, never changed; of some events the oldest go. */
export class SqliteAuditStore implements AuditStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  append(record: AuditRecord, newest?: number): Promise<void> {
    return this.#commits.write((db) => {
      appendRecord(db, record);
      if (newest !== undefined) keepNewest(db, record, newest);
    });
  }

  list({ userId, limit }: { userId?: string; limit?: number }): Promise<AuditRecord[]> {
    const ofUser = userId === undefined ? '' : 'WHERE user_id = :userId';
    return this.#connection.read((db) =>
      db
        .all<AuditRow>(
          `SELECT at, user_id AS userId, event, address, device_id AS deviceId, detail FROM audit
           ${ofUser} ORDER BY number DESC LIMIT :limit`,
          { userId: userId ?? null, limit: limit ?? NO_LIMIT },
        )
        .map((row) => ({ ...row, detail: JSON.parse(row.detail) })),
    );
  }
}

function keepNewest(db: Connection, { userId, event }: AuditRecord, newest: number): void {
  db.run(
    `DELETE FROM audit WHERE user_id = :userId AND event = :event AND number <= (
       SELECT number FROM audit WHERE user_id = :userId AND event = :event
       ORDER BY number DESC LIMIT 1 OFFSET :newest)`,
    { userId, event, newest },
  );
}

/** Adds a line, for writes that happen together with what they put on record. */
export function appendRecord(db: Connection, record: AuditRecord): void {
  db.run(
    `INSERT INTO audit (at, user_id, event, address, device_id, detail)
     VALUES (:at, :userId, :event, :address, :deviceId, :detail)`,
    { ...record, detail: JSON.stringify(record.detail) },
  );
}
