import type { PoolClient } from 'pg';
import type { UnitOutcome } from '../errors.ts';
import { isAnswer } from './store_error.ts';

/** What the database calls it (pg_xact_status). Null: so old that it is not known any more. */
type Status = 'committed' | 'aborted' | 'in progress' | null;

/** What became of a transaction, by the id that it had. */
export async function outcomeOf(client: PoolClient, transaction: string): Promise<UnitOutcome> {
  const status = await statusOf(client, transaction);
  if (status === 'committed') return 'written';
  return status === 'in progress' ? 'open' : 'not_written';
}

async function statusOf(client: PoolClient, transaction: string): Promise<Status> {
  try {
    const { rows } = await client.query<{ status: Status }>('SELECT pg_xact_status($1::xid8) AS status', [
      transaction,
    ]);
    return rows[0]?.status ?? null;
  } catch (error) {
    // After a failover the id can lie in the future: the new primary never heard of it.
    if (isAnswer(error)) return null;
    throw error;
  }
}
