import { beforeEach, expect, test } from '@jest/globals';
import { chainSeals } from '../../src/audit/macs.ts';
import { Chain } from '../../src/storage/chain.ts';
import { RunningUnit } from '../../src/storage/postgres/unit_of_work.ts';
import { ask, decide, type Entry, effect, type Unit, when } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { verified } from '../audit/audited.ts';
import { record } from '../support/entries.ts';
import { testVault } from '../support/test_vault.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, NOW } from './rows.ts';

const lost = decide('DELETE FROM leases WHERE key = :key', { key: 'none' });
const won = decide('UPDATE store_checks SET checks = checks + 1');
const broken = effect('INSERT INTO leases (key, holder, until_at) VALUES (:key, NULL, 0)', { key: 'y' });

test('in PostgreSQL the entries of a unit take one round trip, but for the first of a chain', async () => {
  const chain = new Chain(chainSeals(testVault()));
  const known = { chain: 1, n: 4, mac: 'mac' };
  chain.head = { ...known, sealed: chain.seals.seal(known) };
  const sent: string[] = [];
  const unit = new RunningUnit(async ({ text }) => {
    sent.push(text);
    return { rows: [{}], rowCount: 1 };
  }, NOW);
  const entry = record({ at: NOW, userId: BOB, event: 'totp.used' });
  await unit.write([
    { does: 'enter', record: entry, chain },
    won,
    { does: 'enter', record: entry, chain },
    won,
  ]);
  (await unit.enter())();
  expect(sent).toHaveLength(3);
  expect(sent[2]).toMatch(/^WITH head AS \(UPDATE audit_chains .*INSERT INTO audit/s);
  expect(chain.head).toMatchObject({ chain: 1, n: 6 });
});

describeOnBothStores('entries of the audit', (opened) => {
  let storage: Storage;
  let chain: Chain;

  beforeEach(() => {
    storage = opened.storage;
    chain = new Chain(chainSeals(testVault()));
  });

  const entry = (event: string, of = chain): Entry => ({
    does: 'enter',
    record: record({ at: NOW, userId: BOB, event, address: '192.0.2.1', detail: { position: 1 } }),
    chain: of,
  });
  const commit = <const U extends Unit>(unit: U, at = storage) => at.commit([BOB], unit);
  const fails = (unit: Unit) =>
    commit(unit).then(
      () => false,
      () => true,
    );
  const places = () =>
    storage.read(ask('SELECT chain, n, event FROM audit WHERE chain IS NOT NULL ORDER BY chain, n'));
  const sound = (entries: number, chains: number) => ({ entries, chains, unprotected: 0, fault: undefined });

  test('count on in their chain, in the order of their unit, and of the branch that was taken', async () => {
    const answer = await commit([entry('one'), when(won, { won: entry('two'), lost: entry('no') })]);
    expect(answer).toMatchObject([1, { won: true, after: 1 }]);
    await commit(when(lost, { won: entry('no'), lost: [entry('three')] }));
    expect(await places()).toEqual([
      { chain: 1, n: 1, event: 'one' },
      { chain: 1, n: 2, event: 'two' },
      { chain: 1, n: 3, event: 'three' },
    ]);
    expect(await verified(storage)).toEqual(sound(3, 1));
  });

  test('of one unit may be many', async () => {
    await commit(Array.from({ length: 120 }, (_, number) => entry(`event ${number}`)));
    expect(await places()).toEqual(
      Array.from({ length: 120 }, (_, number) => ({ chain: 1, n: number + 1, event: `event ${number}` })),
    );
    const inOrder = await storage.read(ask('SELECT n FROM audit ORDER BY number'));
    expect(inOrder).toEqual(Array.from({ length: 120 }, (_, number) => ({ n: number + 1 })));
    expect(await verified(storage)).toEqual(sound(120, 1));
  });

  test('of a unit that fails leave no trace, the first of a chain included', async () => {
    expect(await fails([entry('failed'), broken])).toBe(true);
    expect(await commit([entry('a'), when(won, { won: [], lost: [] })])).toMatchObject([1, { won: true }]);
    expect(await fails([entry('failed'), broken])).toBe(true);
    await commit(entry('b'));
    expect(await places()).toEqual([
      { chain: 1, n: 1, event: 'a' },
      { chain: 1, n: 2, event: 'b' },
    ]);
    expect(await verified(storage)).toEqual(sound(2, 1));
  });

  test('of units that run at once, some of which fail, stand in one chain without a gap', async () => {
    const units = Array.from({ length: 60 }, (_, number) =>
      number % 3 === 0 ? [entry(`failed ${number}`), broken] : [entry(`event ${number}`)],
    );
    const outcomes = await Promise.allSettled(
      units.map((unit, number) => storage.commit([number % 2 === 0 ? ALICE : BOB], unit)),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(40);
    expect(await verified(storage)).toEqual(sound(40, 1));
  });

  test('of several processes stand in chains of their own, which begin one after the other', async () => {
    const others = await Promise.all([opened.openAnother(), opened.openAnother()]);
    const all = [storage, ...others].map((at) => ({ at, of: new Chain(chainSeals(testVault())) }));
    await Promise.all(
      all.flatMap(({ at, of }) => Array.from({ length: 10 }, () => commit(entry('event', of), at))),
    );
    expect(await verified(storage)).toEqual(sound(30, 3));
  });

  test('whose unit was written though its outcome was not known are counted on from', async () => {
    await commit(entry('one'));
    const known = chain.head;
    await commit(entry('two'));
    chain.head = known;
    await commit(entry('three'));
    expect(await places()).toMatchObject([{ n: 1 }, { n: 2 }, { n: 3, event: 'three' }]);
    expect(await verified(storage)).toEqual(sound(3, 1));
  });

  test('of a process whose chain is gone from the database begin another one', async () => {
    await commit(entry('one'));
    await commit([effect('DELETE FROM audit_chains'), effect('DELETE FROM audit')]);
    await commit(entry('two'));
    expect(await places()).toEqual([{ chain: 1, n: 1, event: 'two' }]);
    expect(await verified(storage)).toEqual(sound(1, 1));
  });

  test('of a process whose head was changed begin another chain, and the change is still found', async () => {
    await commit(entry('one'));
    await commit(
      effect('UPDATE audit_chains SET sealed_head = :other WHERE chain = 1', { other: Buffer.from('x') }),
    );
    await commit(entry('two'));
    expect(await verified(storage)).toMatchObject({ fault: { chain: 1, n: 0, what: 'changed' } });
  });
});
