import type { PoolClient } from 'pg';

const TIME = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS time';

/** The inner question locks; the time is taken after that. */
const LOCK = `
  SELECT ${TIME} FROM
    (SELECT user_id FROM accounts WHERE user_id = ANY($1::text[]) ORDER BY user_id FOR UPDATE) AS locked`;

const ADD_MISSING = `
  INSERT INTO accounts (user_id, folded_localpart) SELECT user_id, '' FROM unnest($1::text[]) AS user_id
  ORDER BY user_id ON CONFLICT DO NOTHING`;

/**
 * Locks the rows of these users, in order, for the rest of the transaction: two units of one user never wait for
 * each other in a circle. A user who was not seen before gets a row.
 * @returns the database's time when they were locked, in ms since the epoch
 */
export async function lockAccounts(client: PoolClient, accounts: readonly string[]): Promise<number> {
  const users = [...new Set(accounts)].toSorted();
  if (users.length === 0) return timeOf(await client.query<TimeRow>(`SELECT ${TIME}`));
  const locked = await client.query<TimeRow>(LOCK, [users]);
  if (locked.rows.length === users.length) return timeOf(locked);
  await client.query(ADD_MISSING, [users]);
  return timeOf(await client.query<TimeRow>(LOCK, [users]));
}

interface TimeRow {
  readonly time: number;
}

function timeOf({ rows }: { readonly rows: readonly TimeRow[] }): number {
  return Math.max(...rows.map(({ time }) => time));
}
