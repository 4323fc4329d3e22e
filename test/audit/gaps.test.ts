/** What was removed on purpose leaves gaps in the chains: as many as entries, where others stand between. */
import { expect, test } from '@jest/globals';
import { chainSeals } from '../../src/audit/macs.ts';
import { Pruning } from '../../src/audit/pruning.ts';
import { Chain } from '../../src/storage/chain.ts';
import { ask, type Driver, type Query } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { HOUR } from '../../src/system/clock.ts';
import { describeOnBothStores } from '../storage/on_both.ts';
import { BOB, NOW } from '../storage/rows.ts';
import { extraCostMs } from '../support/cpu_cost.ts';
import { entryOn, record } from '../support/entries.ts';
import { testVault } from '../support/test_vault.ts';
import { exportedFrom, verified } from './audited.ts';

const KEPT = 200;
const FLOOD = 1500;
const BATCH = 500;
const VERIFIED_AT_ONCE = 1000;

interface Gap {
  readonly chain: number;
  readonly first: number;
  readonly last: number;
}

/** The store, and how many rows its largest answer had. */
function watched(storage: Storage): Pick<Driver, 'commit' | 'read'> & { largest: number } {
  const seen = {
    largest: 0,
    commit: storage.commit,
    read: async <Row>(query: Query<Row>) => {
      const rows = await storage.read(query);
      seen.largest = Math.max(seen.largest, rows.length);
      return rows;
    },
  };
  return seen;
}

/** What needs no second factor, by turns with what stays. */
async function flood(storage: Storage): Promise<void> {
  for (let written = 0; written < FLOOD; written += 100) {
    const lines = Array.from({ length: 200 }, (_, at) =>
      entryOn(storage, { at: NOW, userId: BOB, event: at % 2 === 0 ? 'factor.refused' : 'login.completed' }),
    );
    await storage.commit([], lines);
  }
}

describeOnBothStores('many gaps in the audit', (opened) => {
  const pruning = (storage: Pick<Driver, 'commit' | 'read'>, keepMs = 24 * HOUR) =>
    new Pruning({
      ...{ storage, vault: testVault(), clock: opened.clock, holder: 'one' },
      settings: { keepMs, keepAddressesMs: 24 * HOUR },
    });
  const gaps = () =>
    opened.storage.read(
      ask<Gap>('SELECT chain, first_n AS first, last_n AS last FROM audit_gaps ORDER BY chain, first_n'),
    );

  test('attack 369: are not all read, where more is removed and where the chains are verified', async () => {
    await flood(opened.storage);
    const exported = await exportedFrom(opened.storage);
    const store = watched(opened.storage);
    expect(await pruning(store).prune()).toMatchObject({ removed: FLOOD - KEPT });
    expect(await gaps()).toHaveLength(FLOOD - KEPT);
    expect(store.largest).toBeLessThanOrEqual(BATCH);
    const sound = { entries: FLOOD + KEPT, chains: 1, unprotected: 0, fault: undefined };
    expect(await verified(store, exported)).toEqual(sound);
    expect(store.largest).toBeLessThanOrEqual(VERIFIED_AT_ONCE);
  });

  test('attack 369: cost no more where an export is at hand', async () => {
    await flood(opened.storage);
    const exported = await exportedFrom(opened.storage);
    await pruning(opened.storage).prune();
    const { storage } = opened;
    const extra = await extraCostMs(
      () => verified(storage, exported),
      () => verified(storage),
      100,
      2,
    );
    expect(extra).toBeLessThan(100);
    exported.set(`1 ${2 * FLOOD + 1}`, 'x.y');
    expect((await verified(storage, exported)).fault).toEqual({
      chain: 1,
      n: 2 * FLOOD + 1,
      what: 'missing',
    });
  });

  test('become one where all between them is removed, in whatever order that is', async () => {
    const { storage } = opened;
    const chains = [1, 2].map(() => new Chain(chainSeals(testVault())));
    const ages = Array.from({ length: 30 }, (_, at) => 1 + ((at * 11) % 30));
    for (const chain of chains) {
      for (const hours of ages) {
        const line = record({ at: NOW - (hours - 0.5) * HOUR, userId: BOB, event: 'login.completed' });
        await storage.commit([], { does: 'enter', record: line, chain });
      }
    }
    const exported = await exportedFrom(storage);
    for (const kept of [28, 27, 22, 17, 11, 10, 4, 0]) {
      await pruning(storage, kept * HOUR).prune();
      const runs = ages.filter((hours, at) => hours > kept && !((ages[at - 1] ?? 0) > kept)).length;
      expect([kept, (await gaps()).length]).toEqual([kept, 2 * runs]);
      expect(await verified(storage, exported)).toMatchObject({ entries: 2 * kept, fault: undefined });
    }
    expect(await gaps()).toEqual([1, 2].map((chain) => ({ chain, first: 1, last: 30 })));
  });
});
