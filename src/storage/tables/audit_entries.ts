import { ask, listOf, type Query, type Value } from '../statement.ts';
import { type ChainedRow, PLACED } from './audit.ts';

/** An entry as it is shown; those from before the first chain have no place in one. */
export interface ShownRow extends Omit<ChainedRow, 'chain' | 'n' | 'mac'> {
  readonly chain: number | null;
  readonly n: number | null;
  readonly mac: string | null;
}

/** Which entries are looked for; what is left out does not matter. */
export interface EntryFilter {
  readonly userId?: string | undefined;
  readonly events?: readonly string[] | undefined;
  /** Its kind, or with its name: `operator` finds every operator. */
  readonly actor?: string | undefined;
  /** In ms since the epoch: at that time or later; before that time. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
}

/** The newest first. */
export function findNewest(filter: EntryFilter, most: number): Query<ShownRow> {
  const { condition, values } = conditionOf(filter);
  return ask(`SELECT ${PLACED} FROM audit WHERE ${condition} ORDER BY number DESC LIMIT :most`, {
    ...values,
    most,
  });
}

/** The next ones behind a number, the oldest first. */
export function findNext(filter: EntryFilter, after: number, most: number): Query<ShownRow> {
  const { condition, values } = conditionOf(filter);
  return ask(
    `SELECT ${PLACED} FROM audit WHERE number > :after AND ${condition} ORDER BY number LIMIT :most`,
    { ...values, after, most },
  );
}

function conditionOf({ userId, events, actor, since, until }: EntryFilter) {
  const named = listOf('event', events ?? []);
  const parts: [string, Readonly<Record<string, Value>>][] = [];
  if (userId !== undefined) parts.push(['user_id = :userId', { userId }]);
  if (events !== undefined) parts.push([`event IN (${named.names})`, named.values]);
  if (actor !== undefined) {
    const prefix = `${actor}:`;
    const isKind = 'substr(actor, 1, length(CAST(:prefix AS TEXT))) = :prefix';
    parts.push([`(actor = :actor OR ${isKind})`, { actor, prefix }]);
  }
  if (since !== undefined) parts.push(['at >= :since', { since }]);
  if (until !== undefined) parts.push(['at < :until', { until }]);
  const conditions = ['1 = 1', ...parts.map(([condition]) => condition)];
  const values: Record<string, Value> = Object.assign({}, ...parts.map(([, each]) => each));
  return { condition: conditions.join(' AND '), values };
}
