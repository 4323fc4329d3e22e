import { type Driver, type Effect, effect, type Values } from './statement.ts';

/**
 * So many rows of a table go in one commit. A process waits for its SQLite meanwhile, and a hundred thousand rows, as
 * many as there may be visits, would keep all its requests waiting.
 */
export const DROPPED_AT_ONCE = 500;

/**
 * Drops some of the rows that have ended; in PostgreSQL two sweeps at once drop different ones.
 * @param ended in SQL, of our own words only
 */
export function dropSome(table: string, ended: string, values: Values = {}): Effect {
  const some = (row: string) => `SELECT ${row} FROM ${table} WHERE ${ended} LIMIT ${DROPPED_AT_ONCE}`;
  return effect(
    {
      sqlite: `DELETE FROM ${table} WHERE rowid IN (${some('rowid')})`,
      postgres: `DELETE FROM ${table} WHERE ctid = ANY (ARRAY (${some('ctid')} FOR UPDATE SKIP LOCKED))`,
    },
    values,
  );
}

/** Drops all that have ended, a part in each commit: requests come in between. */
export async function dropInParts(store: Pick<Driver, 'commit'>, drops: readonly Effect[]): Promise<void> {
  let left = drops;
  while (left.length > 0) {
    const dropped = await store.commit([], left);
    left = left.filter((_drop, at) => (dropped[at] ?? 0) >= DROPPED_AT_ONCE);
  }
}
