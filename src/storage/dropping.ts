import { type Driver, type Effect, effect, type Sql, type Values } from './statement.ts';

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
  return doToSome(`DELETE FROM ${table}`, table, { ended, values });
}

/**
 * Changes some rows in the same way. A row that was changed must not be one of them any more.
 * @param change and `which` in SQL, of our own words only
 */
export function changeSome(table: string, change: Sql, which: string, values: Values = {}): Effect {
  const { sqlite, postgres } = typeof change === 'string' ? { sqlite: change, postgres: change } : change;
  const update = (text: string) => `UPDATE ${table} SET ${text}`;
  return doToSome({ sqlite: update(sqlite), postgres: update(postgres) }, table, { ended: which, values });
}

function doToSome(
  what: Sql,
  table: string,
  { ended, values }: { readonly ended: string; readonly values: Values },
): Effect {
  const some = (row: string) => `SELECT ${row} FROM ${table} WHERE ${ended} LIMIT ${DROPPED_AT_ONCE}`;
  const { sqlite, postgres } = typeof what === 'string' ? { sqlite: what, postgres: what } : what;
  return effect(
    {
      sqlite: `${sqlite} WHERE rowid IN (${some('rowid')})`,
      postgres: `${postgres} WHERE ctid = ANY (ARRAY (${some('ctid')} FOR UPDATE SKIP LOCKED))`,
    },
    values,
  );
}

/** Drops or changes all that are meant, a part in each commit: requests come in between. */
export async function dropInParts(store: Pick<Driver, 'commit'>, drops: readonly Effect[]): Promise<void> {
  let left = drops;
  while (left.length > 0) {
    const dropped = await store.commit([], left);
    left = left.filter((_drop, at) => (dropped[at] ?? 0) >= DROPPED_AT_ONCE);
  }
}
