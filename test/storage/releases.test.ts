import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { findVersion, growVersion } from '../../src/storage/tables/accounts.ts';
import { keepHoldUnder, keepHoldWhereRoom } from '../../src/storage/tables/holds.ts';
import { exchangeHold, releaseHold } from '../../src/storage/tables/releases.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, claim, enrol, held, MINUTE, NOW, raceOf, session, upTo } from './rows.ts';

const PROOF = { kind: 'session', hash: 'session' } as const;

describeOnBothStores('a held login and the version of its account', (opened) => {
  let storage: Storage;
  let version: number;

  beforeEach(async () => {
    storage = opened.storage;
    opened.clock.set(NOW);
    await enrol(storage, ALICE);
    version = (await storage.read(findVersion(ALICE)))[0]?.version ?? -1;
    await storage.holds.hold(held({ id: 'one' }));
  });

  const open = (under: number | null) =>
    storage.sessions.open(session({ idHash: 'session', holdId: 'one', version: under }), upTo(99));
  const grow = () => storage.commit([ALICE], growVersion(ALICE));
  const release = async (from = storage) => (await from.commit([ALICE], releaseHold(PROOF, 'one', []))).won;
  const exchange = async () => (await storage.commit([ALICE], exchangeHold(PROOF, 'one', 'me', []))).won;

  test('it is released once to a session of the same version', async () => {
    await open(version);
    const won = await raceOf(20, await replicasOf(opened), release);
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await storage.holds.find('one')).toBeUndefined();
  });

  test.each([
    ['an older version', -1],
    ['no version', undefined],
  ])('it is not released to a session of %s, which stays', async (_what, difference) => {
    await open(difference === undefined ? null : version + difference);
    expect(await release()).toBe(false);
    expect(await storage.holds.find('one')).toBeDefined();
    expect(await storage.sessions.find('session')).toBeDefined();
  });

  test('it is not released once the version has grown', async () => {
    await open(version);
    await grow();
    expect(await release()).toBe(false);
  });

  test('it is exchanged under the same version only', async () => {
    await open(version);
    expect(await claim(storage, 'one', 'me', NOW + MINUTE)).toBe(true);
    await grow();
    expect(await exchange()).toBe(false);
    await storage.sessions.end('session');
    await open(version + 1);
    expect(await exchange()).toBe(true);
  });

  test('a login is kept under the version under which its factor was owed only', async () => {
    const room = (id: string, under: number | undefined) =>
      storage.commit([ALICE], keepHoldWhereRoom(held({ id }), 9, under));
    const any = (id: string, under: number | undefined) =>
      storage.commit([ALICE], keepHoldUnder(held({ id }), under));
    expect(await room('a', version)).toBeDefined();
    expect(await any('b', version)).toBeDefined();
    await grow();
    expect(await room('c', version)).toBeUndefined();
    expect(await any('d', version)).toBeUndefined();
    expect(await room('e', undefined)).toBeDefined();
    expect(await any('f', undefined)).toBeDefined();
  });
});
