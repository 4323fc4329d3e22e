import { beforeEach, expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import { effect, whenBoth } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { findVersion, growVersion } from '../../src/storage/tables/accounts.ts';
import { spendStep } from '../../src/storage/tables/authenticators.ts';
import { keepHoldUnder, keepHoldWhereRoom } from '../../src/storage/tables/holds.ts';
import { admitCode, exchangeHold, releaseHold, takeHoldByCode } from '../../src/storage/tables/releases.ts';
import { endSession, type StoredSession } from '../../src/storage/tables/sessions.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, claim, countFailure, enrol, held, MINUTE, NOW, raceOf, session, upTo } from './rows.ts';

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

  const SPENDABLE = { authenticatorId: `authenticator-1-${ALICE}`, step: 101 };
  const LANE = { lane: 'elsewhere', rules: LANE_RULES };
  const takeByCode = async (
    from = storage,
    { state = { idHash: 'session', completed: ['a'], bodyDigest: null }, step = 101 } = {},
  ) => {
    const taken = takeHoldByCode(state, { id: 'one', userId: ALICE }, LANE);
    const spent = spendStep(ALICE, { ...SPENDABLE, step });
    return (await from.commit([ALICE], whenBoth(taken, spent, [endSession('session')]))).won;
  };
  const openAt = (different: Partial<StoredSession> = {}) => {
    const row = { idHash: 'session', holdId: 'one', version, completed: ['a'], ...different };
    return storage.sessions.open(session(row), upTo(99));
  };
  const nothingWritten = async () => {
    expect(await storage.holds.find('one')).toBeDefined();
    expect((await storage.factors.authenticators(ALICE))[0]?.lastStep).toBe(100);
  };

  test('it is taken once with the code that its session waits for, whichever of many is first', async () => {
    await openAt();
    let step = 100;
    const won = await raceOf(20, await replicasOf(opened), (from) => {
      step += 1;
      return takeByCode(from, { step });
    });
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await storage.holds.find('one')).toBeUndefined();
    expect(await storage.sessions.find('session')).toBeUndefined();
  });

  test.each<[string, Partial<StoredSession>]>([
    ['is of an older version', { version: -1 }],
    ['has no version', { version: null }],
    ['has done other stages', { completed: ['a', 'b'] }],
    ['is for another body', { bodyDigest: 'other' }],
    ['is for another login', { holdId: 'other' }],
    ['has ended', { expiresAt: NOW }],
  ])('attack 183: it is not taken, and no code spent, where its session %s', async (_what, different) => {
    await openAt(different);
    expect(await takeByCode()).toBe(false);
    await nothingWritten();
  });

  test('it is not taken, and no code spent, while it is claimed, after it ended, or with a spent code', async () => {
    await openAt();
    expect(await takeByCode(storage, { step: 100 })).toBe(false);
    expect(await claim(storage, 'one', 'me', NOW + MINUTE)).toBe(true);
    expect(await takeByCode()).toBe(false);
    await nothingWritten();
    await storage.holds.unclaim('one', 'me');
    expect(await takeByCode()).toBe(true);
  });

  test('attack 145: it is not taken while the lane of the code admits none', async () => {
    await openAt({ expiresAt: NOW + 100 * MINUTE });
    for (let turn = 0; turn < 5; turn++) await countFailure(storage, ALICE);
    expect(await takeByCode()).toBe(false);
    await nothingWritten();
    opened.clock.advance(30_000);
    expect(await takeByCode()).toBe(true);
  });

  test('attack 145: nor is it where the budget of the lane is used up, or the lane is shut', async () => {
    const lane = (failures: number, budget: number) =>
      storage.commit(
        [ALICE],
        effect(
          `INSERT INTO lanes (user_id, lane, failures, wait_until, budget, budget_at)
           VALUES (:userId, 'elsewhere', :failures, 0, :budget, :now) ON CONFLICT (user_id, lane)
           DO UPDATE SET failures = excluded.failures, budget = excluded.budget`,
          { userId: ALICE, failures, budget },
        ),
      );
    await openAt();
    await lane(1, 0.5);
    expect(await takeByCode()).toBe(false);
    await lane(100, 20);
    expect(await takeByCode()).toBe(false);
    await nothingWritten();
    await lane(99, 1);
    expect(await takeByCode()).toBe(true);
  });

  test('a login that was never held is given out once by its code, whichever of many is first', async () => {
    const won = await raceOf(20, await replicasOf(opened), (from) => admit(version, from));
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  const admit = async (under = version, from = storage) => {
    const spent = spendStep(ALICE, SPENDABLE);
    return (await from.commit([ALICE], whenBoth(admitCode(ALICE, under, LANE), spent, []))).won;
  };

  test('attack 183: nor is that one under another version of its account: no code is spent', async () => {
    await grow();
    expect(await admit()).toBe(false);
    await nothingWritten();
    expect(await admit(version + 1)).toBe(true);
  });

  test('attack 145: nor while the lane of the code admits none', async () => {
    for (let turn = 0; turn < 5; turn++) await countFailure(storage, ALICE);
    expect(await admit()).toBe(false);
    await nothingWritten();
    opened.clock.advance(30_000);
    expect(await admit()).toBe(true);
  });

  test('a session is found with the live login that it releases', async () => {
    await openAt();
    expect((await storage.sessions.find('session'))?.held).toEqual(held({ id: 'one' }));
    opened.clock.advance(5 * MINUTE);
    expect(await storage.sessions.find('session')).toEqual(
      session({ idHash: 'session', holdId: 'one', version, completed: ['a'] }),
    );
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
