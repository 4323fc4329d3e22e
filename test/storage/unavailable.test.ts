import { beforeEach, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { describeOnPooledStores } from './on_both.ts';
import { ALICE, countFailure, enrol, spendStep } from './rows.ts';

describeOnPooledStores('attack 91: a database that cannot answer', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('attack 91: gone: nothing is read, accepted or counted; back: everything goes on', async () => {
    await enrol(storage, ALICE, { step: 100 });
    await storage.check();
    const bringBack = await opened.takeAway();
    const id = `authenticator-1-${ALICE}`;
    await expect(storage.factors.isEnrolled(ALICE)).rejects.toThrow(StoreUnavailable);
    await expect(spendStep(storage, ALICE, id, 101)).rejects.toThrow(StoreUnavailable);
    await expect(countFailure(storage, ALICE)).rejects.toThrow(StoreUnavailable);
    await expect(storage.check()).rejects.toThrow(StoreUnavailable);
    await bringBack();
    await storage.check();
    expect(await storage.read(lanesOf(ALICE))).toEqual([]);
    expect(await spendStep(storage, ALICE, id, 101)).toBe(true);
  });

  test('attack 91: closed: every call says so', async () => {
    await storage.close();
    await expect(storage.factors.isEnrolled(ALICE)).rejects.toThrow(StoreUnavailable);
    await expect(storage.check()).rejects.toThrow(StoreUnavailable);
    await storage.close();
  });

  test('closing keeps what was asked for before', async () => {
    const counted = countFailure(storage, ALICE);
    await storage.close();
    await counted;
    const next = await opened.openAnother();
    expect(await next.read(lanesOf(ALICE))).toHaveLength(1);
  });
});
