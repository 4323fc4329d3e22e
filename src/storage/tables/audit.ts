import { ask, type Driver, type Effect, effect, type Query, type Write } from '../statement.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** One line of the audit: who did what, when, from where. Never a secret. */
export interface AuditRecord {
  readonly at: number;
  readonly userId: string;
  /** e.g. `totp.enabled`, `recovery.used`, `operator.reset`. */
  readonly event: string;
  readonly address: string | null;
  readonly deviceId: string | null;
  /** Further facts, without secrets. */
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

/** A line of the audit; the further facts are JSON. */
export interface AuditRow {
  readonly at: number;
  readonly userId: string;
  readonly event: string;
  readonly address: string | null;
  readonly deviceId: string | null;
  readonly detail: string;
}

/** What a history shows. */
export interface HistoryExtent {
  /** Lines at most. */
  readonly lines: number;
  /** Events of which there can be many, and how many lines of each at most: the others keep their place. */
  readonly frequent: readonly string[];
  readonly ofEachFrequent: number;
}

/** The newest lines of a user, the newest first; of frequent events only some. */
export function findHistory(
  userId: string,
  { lines, frequent, ofEachFrequent }: HistoryExtent,
): Query<AuditRow> {
  const names = frequent.map((_event, index) => `:frequent${index}`);
  const newest = (condition: string, limit: string) =>
    `SELECT number FROM (SELECT number FROM audit WHERE user_id = :userId AND event ${condition}
       ORDER BY number DESC LIMIT ${limit}) AS newest`;
  return ask(
    `SELECT at, user_id AS "userId", event, address, device_id AS "deviceId", detail FROM audit
     WHERE number IN (
       ${[
         newest(`NOT IN (${names.join(', ')})`, ':lines'),
         ...names.map((name) => newest(`= ${name}`, ':ofEachFrequent')),
       ].join('\n UNION ALL ')})
     ORDER BY number DESC LIMIT :lines`,
    {
      userId,
      lines,
      ofEachFrequent,
      ...Object.fromEntries(frequent.map((event, index) => [`frequent${index}`, event])),
    },
  );
}

const APPEND = `INSERT INTO audit (at, user_id, event, address, device_id, detail)
     VALUES (:at, :userId, :event, :address, :deviceId, :detail)`;

/** Adds a line, in the unit that does what it puts on record. */
export function appendRecord(record: AuditRecord): Effect {
  return effect(APPEND, { ...record, detail: JSON.stringify(record.detail) });
}

/** The line that a statement adds; undefined if it adds none. */
export function recordIn({ sql, values }: Pick<Effect, 'sql' | 'values'>): AuditRow | undefined {
  return sql === APPEND ? (values as unknown as AuditRow) : undefined;
}

/** Drops all but the newest lines of this user and event. */
export function keepNewest({ userId, event }: AuditRecord, newest: number): Effect {
  return effect(
    `DELETE FROM audit WHERE user_id = :userId AND event = :event AND number <= (
       SELECT number FROM audit WHERE user_id = :userId AND event = :event
       ORDER BY number DESC LIMIT 1 OFFSET :newest)`,
    { userId, event, newest },
  );
}

/** The newest first, of all users or of one. */
function listRecords({ userId, limit }: Parameters<AuditStore['list']>[0]): Query<AuditRow> {
  const ofUser = userId === undefined ? '' : 'WHERE user_id = :userId';
  return ask(
    `SELECT at, user_id AS "userId", event, address, device_id AS "deviceId", detail FROM audit
     ${ofUser} ORDER BY number DESC LIMIT :limit`,
    { userId: userId ?? null, limit: limit ?? NO_LIMIT },
  );
}

export interface AuditStore {
  /** Adds a line, and what is written with it. With `newest`, only so many of this user and event stay. */
  append(record: AuditRecord, newest?: number, consequences?: readonly Write[]): Promise<void>;
  /** The newest first. */
  list(filter: { userId?: string; limit?: number }): Promise<AuditRecord[]>;
}

/** The audit: lines are added, never changed; of some events the oldest go. */
export class AuditTable implements AuditStore {
  constructor(private readonly driver: Driver) {}

  async append(record: AuditRecord, newest?: number, consequences: readonly Write[] = []): Promise<void> {
    const bound = newest === undefined ? [] : keepNewest(record, newest);
    await this.driver.commit([record.userId], [appendRecord(record), bound, consequences]);
  }

  async list(filter: Parameters<AuditStore['list']>[0]): Promise<AuditRecord[]> {
    const rows = await this.driver.read(listRecords(filter));
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
  }
}
