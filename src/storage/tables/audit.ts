import type { AuditRecord, ChainHead } from '../chain.ts';
import {
  ask,
  type Driver,
  type Effect,
  effect,
  madeOnce,
  type Query,
  type Value,
  type Values,
} from '../statement.ts';

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/** An entry of the audit; the further facts are JSON. */
export interface AuditRow extends Omit<AuditRecord, 'detail'> {
  readonly detail: string;
}

const COLUMNS = `at, user_id AS "userId", event, actor, address, device_id AS "deviceId",
  request_id AS "requestId", detail`;

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
    `SELECT ${COLUMNS} FROM audit
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

/** An entry and its place. */
export interface PlacedEntry {
  readonly record: AuditRecord;
  readonly place: ChainHead;
}

/** What an entry is written with, one column after the other; the chain is the same for all. */
const WRITTEN = [
  'at',
  'userId',
  'event',
  'actor',
  'address',
  'deviceId',
  'requestId',
  'detail',
  'n',
  'mac',
] as const;

type WrittenName = (typeof WRITTEN)[number];
/** The names of the values of one entry among several. */
type NamesOfEntry = Readonly<Record<WrittenName, string>>;

/** Adds entries, in their order. @param from where each stands, in SQL, of our own words only; empty: nowhere */
export function insertion(
  entries: readonly PlacedEntry[],
  from = '',
): { readonly text: string; readonly values: Values } {
  const values: Record<string, Value> = {};
  for (const [at, entry] of entries.entries()) addValues(values, entry, namesOf(at));
  return { text: insertionText(entries.length, from), values };
}

/** One text for each number of entries: a new one each time would have to be hashed to find its prepared statement. */
const insertionText = madeOnce((count: number, from: string) => {
  const rows = Array.from({ length: count }, (_, at) => {
    const names = namesOf(at);
    const text = (name: WrittenName) => `CAST(:${names[name]} AS TEXT)`;
    return `SELECT CAST(:${names.at} AS BIGINT), ${text('userId')}, ${text('event')}, ${text('actor')}, ${text('address')},
       ${text('deviceId')}, ${text('requestId')}, ${text('detail')}, CAST(:chain AS BIGINT), CAST(:${names.n} AS BIGINT),
       ${text('mac')} ${from}`;
  });
  return `INSERT INTO audit (at, user_id, event, actor, address, device_id, request_id, detail, chain, n, mac)
     ${rows.join(' UNION ALL ')}`;
});

const namesOf = madeOnce(
  (at: number) => Object.fromEntries(WRITTEN.map((name) => [name, `${name}${at}`])) as NamesOfEntry,
);

function addValues(values: Record<string, Value>, { record, place }: PlacedEntry, names: NamesOfEntry): void {
  values.chain = place.chain;
  values[names.at] = record.at;
  values[names.userId] = record.userId;
  values[names.event] = record.event;
  values[names.actor] = record.actor;
  values[names.address] = record.address;
  values[names.deviceId] = record.deviceId;
  values[names.requestId] = record.requestId;
  values[names.detail] = JSON.stringify(record.detail);
  values[names.n] = place.n;
  values[names.mac] = place.mac;
}

/** Adds entries at their places. */
export function insertEntries(entries: readonly PlacedEntry[]): Effect {
  const { text, values } = insertion(entries);
  return effect(text, values);
}

/** An entry with its place; what came before the first chain has none. */
export interface ChainedRow extends AuditRow {
  /** Grows with each entry. */
  readonly number: number;
  readonly chain: number;
  readonly n: number;
  readonly mac: string;
  /** Where the address was shortened: what it was, as a digest, and what binds the two. */
  readonly addressDigest: string | null;
  readonly addressMac: string | null;
}

/** The columns of an entry with its place. */
export const PLACED = `${COLUMNS}, number, chain, n, mac, address_digest AS "addressDigest", address_mac AS "addressMac"`;

/** The next entries in the order of their chains. */
export function listChained(after: Pick<ChainHead, 'chain' | 'n'>, most: number): Query<ChainedRow> {
  return ask(
    `SELECT ${PLACED} FROM audit WHERE chain IS NOT NULL AND (chain, n) > (:chain, :n)
     ORDER BY chain, n LIMIT :most`,
    { chain: after.chain, n: after.n, most },
  );
}

/** Entries without a chain: how many there are up to a number, and the first one behind it. */
export function countUnchained(
  until: number,
): Query<{ readonly count: number; readonly firstAfter: number | null }> {
  return ask(
    `SELECT count(CASE WHEN number <= :until THEN 1 END) AS count,
       min(CASE WHEN number > :until THEN number END) AS "firstAfter"
     FROM audit WHERE chain IS NULL`,
    { until },
  );
}

/** The newest first, of all users or of one. */
function listRecords({ userId, limit }: Parameters<AuditStore['list']>[0]): Query<AuditRow> {
  const ofUser = userId === undefined ? '' : 'WHERE user_id = :userId';
  return ask(
    `SELECT ${COLUMNS} FROM audit
     ${ofUser} ORDER BY number DESC LIMIT :limit`,
    { userId: userId ?? null, limit: limit ?? NO_LIMIT },
  );
}

export interface AuditStore {
  /** The newest first. */
  list(filter: { userId?: string; limit?: number }): Promise<AuditRecord[]>;
}

/** The audit, to look at. Entries are added by the units that do what they tell of (`audit/audit.ts`). */
export class AuditTable implements AuditStore {
  constructor(private readonly driver: Driver) {}

  async list(filter: Parameters<AuditStore['list']>[0]): Promise<AuditRecord[]> {
    const rows = await this.driver.read(listRecords(filter));
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
  }
}
