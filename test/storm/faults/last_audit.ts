import { ask } from '../../../src/storage/statement.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import type { Owner, Storm } from './storm_client.ts';

const LATER_MS = 30 * 60_000;
const ROUNDS = 200;
const RETRY_MS = 5_000;

/** Whose logins are no sessions of an app and of no device password, which are kept for their owner. */
export type PlainOwners = readonly Owner[];

/**
 * When the storm is over, half an hour goes by, in which a process does what is due. Then no login is held, none lives
 * that no client has but those that were cut on their way, and everything that is on record was told.
 */
export async function auditAfterwards(storm: Storm, plain: PlainOwners): Promise<void> {
  const { world } = storm;
  await world.stop();
  await world.later(LATER_MS, async (proxy, clock) => {
    await proxy.keepHouse();
    await proxy.keepHouse();
    for (let round = 0; round < ROUNDS && (await countOf(proxy.storage, 'notices')) > 0; round += 1) {
      await proxy.sendNotices();
      // A mail without an address is looked at once more after a while.
      clock.advance(RETRY_MS);
    }
    const held = await countOf(proxy.storage, 'holds');
    if (held > 0) storm.ledger.fault(`afterwards ${held} logins are still held`);
    await requireAllTold(storm, proxy.storage);
  });
  for (const owner of plain) requireNoneLeft(storm, owner);
}

async function countOf(storage: Storage, table: 'holds' | 'notices'): Promise<number> {
  const [row] = await storage.read(ask<{ count: number }>(`SELECT count(*) AS count FROM ${table}`));
  return Number(row?.count);
}

/** The operator's program heard of every entry of the audit, and nothing else waits or was given up either. */
async function requireAllTold(storm: Storm, storage: Storage): Promise<void> {
  const { hook } = storm.world;
  const told = new Set(hook.hooks.map(({ json }) => `${json.event} ${json.user_id ?? ''} ${json.at}`));
  const entries = await storage.read(
    ask<{ event: string; userId: string; at: number }>(
      'SELECT event, user_id AS "userId", at FROM audit ORDER BY number',
    ),
  );
  const untold = entries.filter(({ event, userId, at }) => !told.has(`${event} ${userId} ${at}`));
  const { ledger } = storm;
  for (const { event, userId } of untold) ledger.fault(`afterwards nobody was told of ${event} of ${userId}`);
  const left = await countOf(storage, 'notices');
  if (left > 0) ledger.fault(`afterwards ${left} notices wait or were given up`);
}

/** Logins of an owner that live, and that no client of theirs has. */
function requireNoneLeft({ world, ledger }: Storm, { name, enrolled: { userId } }: Owner): void {
  const known = ledger.tokensOf(userId);
  const left = world.stub
    .liveTokens(name)
    .filter((token) => !known.has(token) && !world.lostGrants.has(token));
  const cuts = ledger.cutsOf(userId);
  if (left.length > cuts)
    ledger.fault(`afterwards ${left.length} logins of ${name} are left, and ${cuts} requests were cut`);
}
