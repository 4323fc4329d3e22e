import { ask, type Driver } from '../../src/storage/statement.ts';

/** How many sessions the store has. */
export async function countSessions(storage: Pick<Driver, 'read'>): Promise<number> {
  const [row] = await storage.read(ask<{ count: number | string }>('SELECT count(*) AS count FROM sessions'));
  return Number(row?.count);
}

/** When the first held login is to be ended; undefined if none is held. */
export async function nextEndOfHold(storage: Pick<Driver, 'read'>): Promise<number | undefined> {
  const [row] = await storage.read(
    ask<{ next: number | string | null }>('SELECT min(due_at) AS next FROM holds'),
  );
  return row?.next === null || row === undefined ? undefined : Number(row.next);
}
