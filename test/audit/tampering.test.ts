import { beforeEach, expect, test } from '@jest/globals';
import { chainSeals } from '../../src/audit/macs.ts';
import { Pruning } from '../../src/audit/pruning.ts';
import { Chain } from '../../src/storage/chain.ts';
import { ask, effect, type Values } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { HOUR } from '../../src/system/clock.ts';
import { describeOnBothStores } from '../storage/on_both.ts';
import { BOB, NOW } from '../storage/rows.ts';
import { entryOn, record } from '../support/entries.ts';
import { testVault } from '../support/test_vault.ts';
import { exportedFrom, verified } from './audited.ts';

const DAY = 24 * HOUR;
const ENTRIES = 4;
const CHAINS = 3;

/** What someone does who can write the database, and has no key. */
const CHANGES = [
  ["UPDATE audit SET event = 'totp.used' WHERE chain = 2 AND n = 2", { chain: 2, n: 2, what: 'changed' }],
  [
    'UPDATE audit SET detail = \'{"position":9}\' WHERE chain = 1 AND n = 4',
    { chain: 1, n: 4, what: 'changed' },
  ],
  [
    "UPDATE audit SET address = '198.51.100.9' WHERE chain = 1 AND n = 1",
    { chain: 1, n: 1, what: 'changed' },
  ],
  [
    "UPDATE audit SET address = '198.51.0.0/24', address_digest = 'x.y', address_mac = 'x.y' WHERE chain = 1 AND n = 1",
    { chain: 1, n: 1, what: 'changed' },
  ],
  ["UPDATE audit SET actor = 'operator:eve' WHERE chain = 3 AND n = 1", { chain: 3, n: 1, what: 'changed' }],
  ["UPDATE audit SET mac = 'x' WHERE chain = 1 AND n = 2", { chain: 1, n: 2, what: 'changed' }],
  ['DELETE FROM audit WHERE chain = 2 AND n = 2', { chain: 2, n: 2, what: 'missing' }],
  ['DELETE FROM audit WHERE chain = 2 AND n > 2', { chain: 2, n: 3, what: 'missing' }],
  ['DELETE FROM audit WHERE chain = 3', { chain: 3, n: 1, what: 'missing' }],
  [
    'DELETE FROM audit WHERE chain = 2 AND n > 2; UPDATE audit_chains SET n = 2 WHERE chain = 2',
    { chain: 2, n: 0, what: 'changed' },
  ],
  [
    `INSERT INTO audit (at, user_id, event, detail, chain, n, mac) VALUES (1, 'x', 'x', '{}', 2, ${ENTRIES + 1}, 'x.y')`,
    { chain: 2, n: ENTRIES + 1, what: 'added' },
  ],
  [
    "INSERT INTO audit (at, user_id, event, detail, chain, n, mac) VALUES (1, 'x', 'x', '{}', 9, 1, 'x.y')",
    { chain: 9, n: 1, what: 'added' },
  ],
  [
    "INSERT INTO audit (number, at, user_id, event, detail) VALUES (500, 1, 'x', 'x', '{}')",
    { chain: 0, n: 500, what: 'added' },
  ],
  [
    "INSERT INTO audit (number, at, user_id, event, detail, chain, n, mac) VALUES (500, 1, 'x', 'x', '{}', -1, 1, 'x.y')",
    { chain: 0, n: 500, what: 'added' },
  ],
  [
    "INSERT INTO audit (number, at, user_id, event, detail, chain, n, mac) VALUES (500, 1, 'x', 'x', '{}', 0, 0, 'x.y')",
    { chain: 0, n: 500, what: 'added' },
  ],
  ["UPDATE audit SET detail = 'null' WHERE chain = 2 AND n = 2", { chain: 2, n: 2, what: 'changed' }],
  ['UPDATE audit SET detail = \'{"a":[]}\' WHERE chain = 2 AND n = 2', { chain: 2, n: 2, what: 'changed' }],
  [
    'DELETE FROM audit WHERE chain = 2; DELETE FROM audit_chains WHERE chain = 2',
    { chain: 2, n: 0, what: 'missing' },
  ],
  [
    'DELETE FROM audit WHERE chain = 3; DELETE FROM audit_chains WHERE chain = 3',
    { chain: 3, n: 0, what: 'missing' },
  ],
  [
    'DELETE FROM audit WHERE chain = 3; DELETE FROM audit_chains WHERE chain = 3; UPDATE audit_chains SET n = 2 WHERE chain = 0',
    { chain: 0, n: 0, what: 'changed' },
  ],
  ['DELETE FROM audit_chains WHERE chain = 0', { chain: 0, n: 0, what: 'missing' }],
  ['DELETE FROM audit_chains', { chain: 1, n: 1, what: 'added' }],
  [
    'UPDATE audit SET n = 9 WHERE chain = 1 AND n = 2; UPDATE audit SET n = 2 WHERE chain = 1 AND n = 3; UPDATE audit SET n = 3 WHERE chain = 1 AND n = 9',
    { chain: 1, n: 2, what: 'changed' },
  ],
  [
    'UPDATE audit SET chain = 9 WHERE chain = 1; UPDATE audit SET chain = 1 WHERE chain = 2; UPDATE audit SET chain = 2 WHERE chain = 9',
    { chain: 1, n: 1, what: 'changed' },
  ],
  [
    "DELETE FROM audit WHERE chain = 2 AND n = 2; INSERT INTO audit_gaps (chain, first_n, last_n, last_mac, mac) VALUES (2, 2, 2, 'x.y', 'x.y')",
    { chain: 2, n: 2, what: 'changed' },
  ],
] as const;

describeOnBothStores('the chains of the audit', (opened) => {
  let storage: Storage;
  let chains: Chain[];

  beforeEach(async () => {
    storage = opened.storage;
    chains = Array.from({ length: CHAINS }, () => new Chain(chainSeals(testVault())));
    for (const chain of chains) for (let n = 1; n <= ENTRIES; n += 1) await enter(chain, n);
  });

  const enter = (chain: Chain | undefined, position: number, event = 'recovery.used') =>
    storage.commit([], {
      does: 'enter',
      record: record({
        at: opened.clock.now(),
        userId: BOB,
        event,
        address: '192.0.2.1',
        detail: { position },
      }),
      chain: chain ?? new Chain(chainSeals(testVault())),
    });
  const change = async (sql: string) => {
    for (const statement of sql.split('; ')) await storage.commit([], effect(statement));
  };
  /** @returns puts everything back as it is now */
  const snapshot = async () => {
    const tables = ['audit', 'audit_chains', 'audit_gaps'];
    const kept = await Promise.all(
      tables.map((table) => storage.read(ask<Values>(`SELECT * FROM ${table}`))),
    );
    const writes = tables.flatMap((table, at) => [
      effect(`DELETE FROM ${table}`),
      ...(kept[at] ?? []).map((row) => {
        const names = Object.keys(row);
        const places = names.map((name) => `:${name}`).join(', ');
        return effect(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${places})`, row);
      }),
    ]);
    return () => storage.commit([], writes);
  };
  const pruning = (keepMs: number, keepAddressesMs: number) => {
    const settings = { keepMs, keepAddressesMs };
    return new Pruning({ storage, vault: testVault(), clock: opened.clock, holder: 'one', settings });
  };
  const sound = (entries: number, of = CHAINS) => ({ entries, chains: of, unprotected: 0, fault: undefined });

  test('attack 196: whatever is changed, removed or added is found', async () => {
    expect(await verified(storage)).toEqual(sound(ENTRIES * CHAINS));
    const putBack = await snapshot();
    for (const [sql, fault] of CHANGES) {
      await change(sql);
      expect({ sql, fault: (await verified(storage)).fault }).toEqual({ sql, fault });
      await putBack();
    }
    expect(await verified(storage)).toEqual(sound(ENTRIES * CHAINS));
  });

  test('attack 196: what is found is still found after further entries, of old and of new processes', async () => {
    await change('DELETE FROM audit WHERE chain = 2 AND n = 2');
    for (const chain of [...chains, undefined]) await enter(chain, 9);
    expect((await verified(storage)).fault).toEqual({ chain: 2, n: 2, what: 'missing' });
  });

  test('attack 196: an export finds a database that was put back to an earlier state', async () => {
    const heads = await storage.read(
      ask<{ chain: number; n: number; sealed: Buffer }>(
        'SELECT chain, n, sealed_head AS sealed FROM audit_chains',
      ),
    );
    await enter(chains[2], 5);
    await enter(undefined, 1);
    const exported = await exportedFrom(storage);
    expect(await verified(storage, exported)).toEqual(sound(ENTRIES * CHAINS + 2, CHAINS + 1));
    await change(
      `DELETE FROM audit_chains WHERE chain > ${CHAINS}; DELETE FROM audit WHERE chain > ${CHAINS} OR n > ${ENTRIES}`,
    );
    for (const { chain, n, sealed } of heads) {
      const values = { chain, n, sealed };
      await storage.commit(
        [],
        effect('UPDATE audit_chains SET n = :n, sealed_head = :sealed WHERE chain = :chain', values),
      );
    }
    expect(await verified(storage)).toEqual(sound(ENTRIES * CHAINS));
    expect((await verified(storage, exported)).fault).toEqual({ chain: 3, n: 5, what: 'missing' });
  });

  test('an export of another database does not fit', async () => {
    const exported = new Map([['1 2', 'test.0000']]);
    expect((await verified(storage, exported)).fault).toEqual({ chain: 1, n: 2, what: 'changed' });
  });

  test('entries from before the first chain are named as such, and one that is added to them is found', async () => {
    await change('DELETE FROM audit; DELETE FROM audit_chains');
    await change("INSERT INTO audit (at, user_id, event, detail) VALUES (1, 'x', 'old', '{}')");
    expect(await verified(storage)).toEqual({ entries: 0, chains: 0, unprotected: 1, fault: undefined });
    await enter(undefined, 1);
    expect(await verified(storage)).toEqual({ entries: 1, chains: 1, unprotected: 1, fault: undefined });
    await change("INSERT INTO audit (at, user_id, event, detail) VALUES (1, 'x', 'old', '{}')");
    expect((await verified(storage)).fault).toMatchObject({ chain: 0, what: 'added' });
  });

  test('what is old goes, its addresses before it, and the rest is still as it was written', async () => {
    opened.clock.advance(2 * DAY);
    for (const chain of chains) await enter(chain, 5);
    const exported = await exportedFrom(storage);
    expect(await pruning(3 * DAY, DAY).prune()).toEqual({ removed: 0, shortened: ENTRIES * CHAINS });
    const addresses = await storage.read(
      ask('SELECT address, count(*) AS count FROM audit GROUP BY address ORDER BY address'),
    );
    expect(addresses).toEqual([
      { address: '192.0.2.0/24', count: ENTRIES * CHAINS },
      { address: '192.0.2.1', count: CHAINS },
    ]);
    expect(await verified(storage, exported)).toEqual(sound((ENTRIES + 1) * CHAINS));
    await change("UPDATE audit SET address = '198.51.100.0/24' WHERE chain = 3 AND n = 2");
    expect((await verified(storage)).fault).toEqual({ chain: 3, n: 2, what: 'changed' });
    expect(await pruning(DAY, DAY).prune()).toEqual({ removed: ENTRIES * CHAINS, shortened: 0 });
    expect(await verified(storage, exported)).toEqual(sound(CHAINS));
    for (const chain of chains) await enter(chain, 6);
    opened.clock.advance(2 * DAY);
    expect(await pruning(DAY, DAY).prune()).toEqual({ removed: 2 * CHAINS, shortened: 0 });
    expect(await verified(storage, exported)).toEqual(sound(0));
    expect(await storage.read(ask('SELECT first_n AS first, last_n AS last FROM audit_gaps'))).toEqual(
      Array.from({ length: CHAINS }, () => ({ first: 1, last: 6 })),
    );
    await change('UPDATE audit_gaps SET last_n = 5 WHERE chain = 1');
    expect((await verified(storage)).fault).toEqual({ chain: 1, n: 1, what: 'changed' });
  });

  test('of what needs no factor the newest of each user stay, and the rest is still as it was written', async () => {
    const [chain] = chains;
    for (let number = 0; number < 105; number += 1) {
      await storage.commit(
        [],
        Array.from({ length: 2 }, () => entryOn(storage, { at: NOW, userId: BOB, event: 'factor.refused' })),
      );
    }
    await enter(chain, 5);
    expect(await pruning(DAY, DAY).prune()).toMatchObject({ removed: 10 });
    expect(await verified(storage)).toEqual(sound(ENTRIES * CHAINS + 201, CHAINS + 1));
  });

  test('one process at a time prunes, and one in an hour', async () => {
    await change(
      `INSERT INTO leases (key, holder, until_at) VALUES ('audit prune', 'another', ${NOW + 1000})`,
    );
    expect(await pruning(DAY, DAY).prune()).toBeUndefined();
    opened.clock.advance(2 * DAY);
    const [one, other] = [pruning(DAY, DAY), pruning(DAY, DAY)];
    await Promise.all([one.hourly(), other.hourly()]);
    expect(await verified(storage)).toEqual(sound(0));
    await enter(chains[0], 5);
    opened.clock.advance(HOUR / 2);
    await one.hourly();
    await other.hourly();
    const leases = await storage.read(
      ask("SELECT until_at AS until FROM leases WHERE key = 'audit prune hourly'"),
    );
    expect(leases).toEqual([{ until: NOW + 2 * DAY + HOUR }]);
  });

  test('attack 170: after a flood of what needs no factor it does not wait for the hour to end', async () => {
    const one = pruning(HOUR / 4, DAY);
    const quiet = { hasHadUnproven: () => false };
    const count = () => storage.read(ask('SELECT count(*) AS count FROM audit'));
    opened.clock.advance(2 * DAY);
    await one.inTime(quiet);
    await enter(chains[0], 5);
    opened.clock.advance(2 * DAY + HOUR / 2);
    await one.inTime(quiet);
    await enter(chains[0], 6);
    opened.clock.advance(HOUR / 2);
    const before = await count();
    await one.inTime(quiet);
    expect(await count()).toEqual(before);
    await one.inTime({ hasHadUnproven: (atLeast) => atLeast === 1000 });
    expect(await count()).not.toEqual(before);
  });
});
