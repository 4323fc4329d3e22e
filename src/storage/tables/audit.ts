import { ask, type Query } from '../statement.ts';

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

/** The newest lines of a user, the newest first, whatever there are many of. */
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
