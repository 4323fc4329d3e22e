import { ask, type Effect, effect, type Query } from '../statement.ts';

/** Tables whose ended rows are logged out before they go: with `due_at`, `leased_until` and `attempts`. */
type SweptTable = 'device_passwords' | 'page_sessions';

/** Leases ended rows to one sweep, which logs them out. In PostgreSQL two sweeps at once take different ones. */
export function leaseEnded<Row>(
  table: SweptTable,
  columns: string,
  { leaseUntil, limit }: { readonly leaseUntil: number; readonly limit: number },
): Query<Row> {
  const due = `SELECT id FROM ${table} WHERE due_at <= :now ORDER BY due_at LIMIT :limit`;
  const leasing = (which: string) =>
    `UPDATE ${table} SET leased_until = :leaseUntil, attempts = attempts + 1
     WHERE id IN (${which}) RETURNING ${columns}, attempts`;
  return ask(
    { sqlite: leasing(due), postgres: leasing(`${due} FOR UPDATE SKIP LOCKED`) },
    { leaseUntil, limit },
  );
}

/** Gives an ended row out again no sooner than at `until`. */
export function leaseRowUntil(table: SweptTable, id: string, until: number): Effect {
  return effect(`UPDATE ${table} SET leased_until = :until WHERE id = :id`, { id, until });
}

/** What it stands for is logged out: it is gone. */
export function dropRow(table: SweptTable, id: string): Effect {
  return effect(`DELETE FROM ${table} WHERE id = :id`, { id });
}
