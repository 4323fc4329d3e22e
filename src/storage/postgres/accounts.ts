import type { PoolClient } from 'pg';

const TIME = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS time';
const TRANSACTION = 'pg_current_xact_id()::text AS transaction';

/** The inner question locks; the time is taken after that. */
const LOCK = `
  SELECT ${TIME}, ${TRANSACTION} FROM
    (SELECT user_id FROM accounts WHERE user_id = ANY($1::text[]) ORDER BY user_id FOR UPDATE) AS locked`;

const ADD_MISSING = `
  INSERT INTO accounts (user_id, folded_localpart) SELECT user_id, '' FROM unnest($1::text[]) AS user_id
  ORDER BY user_id ON CONFLICT DO NOTHING`;

/**
 * Locks the rows of these users, in order, for the rest of the transaction: two units of one user never wait for
 * each other in a circle. A user who was not seen before gets a row.
 */
export async function lockAccounts(client: PoolClient, accounts: readonly string[]): Promise<Locked> {
  const users = [...new Set(accounts)].toSorted();
  if (users.length === 0) return lockedBy(await client.query<Locked>(`SELECT ${TIME}`));
  const locked = await client.query<Locked>(LOCK, [users]);
  if (locked.rows.length === users.length) return lockedBy(locked);
  await client.query(ADD_MISSING, [users]);
  return lockedBy(await client.query<Locked>(LOCK, [users]));
}

export interface Locked {
  /** The database's time when they were locked, in ms since the epoch. */
  readonly time: number;
  /** The id by which the database knows the transaction later; only where accounts were locked. */
  readonly transaction?: string;
}

function lockedBy({ rows }: { readonly rows: readonly Locked[] }): Locked {
  return { ...rows[0], time: Math.max(...rows.map(({ time }) => time)) };
}
