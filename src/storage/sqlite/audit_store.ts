import type { AuditRecord, AuditStore } from '../stores.ts';
import type { Connection } from './connection.ts';
import type { GroupCommit } from './group_commit.ts';

const NO_LIMIT = -1;

/** A line as its row holds it: the further facts are JSON. */
type AuditRow = Omit<AuditRecord, 'detail'> & { detail: string };

/** The audit: lines are added, never changed. */
export class SqliteAuditStore implements AuditStore {
  readonly #connection: Connection;
  readonly #commits: GroupCommit;

  constructor(connection: Connection, commits: GroupCommit) {
    this.#connection = connection;
    this.#commits = commits;
  }

  append(record: AuditRecord): Promise<void> {
    return this.#commits.write((db) => appendRecord(db, record));
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

/** Adds a line, for writes that happen together with what they put on record. */
export function appendRecord(db: Connection, record: AuditRecord): void {
  db.run(
    `INSERT INTO audit (at, user_id, event, address, device_id, detail)
     VALUES (:at, :userId, :event, :address, :deviceId, :detail)`,
    { ...record, detail: JSON.stringify(record.detail) },
  );
}
