import { beforeEach, expect, test } from '@jest/globals';
import type { Driver } from '../../src/storage/statement.ts';
import { dropFullAllowances, giveBackAllowance, takeAllowance } from '../../src/storage/tables/allowances.ts';
import { describeOnBothStores } from './on_both.ts';

const BOB = '@bob:hs.example';
const RATE = { perSecond: 0.003, burstCount: 4 };
const MINUTE = 60_000;

describeOnBothStores('allowances', (opened) => {
  let storage: Driver;

  beforeEach(() => {
    storage = opened.storage;
  });

  const take = async (from = storage) => (await from.commit([BOB], takeAllowance(BOB, RATE))) !== undefined;

  test('of 200 parallel takes on two connections as many win as there are', async () => {
    const another = await opened.openAnother();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, turn) => take(turn % 2 === 0 ? storage : another)),
    );
    expect(answers.filter(Boolean)).toHaveLength(RATE.burstCount);
  });

  test('one comes back in its time, and one that is given back at once', async () => {
    for (let turn = 0; turn < RATE.burstCount; turn++) expect(await take()).toBe(true);
    expect(await take()).toBe(false);
    opened.clock.advance(333_334);
    expect([await take(), await take()]).toEqual([true, false]);
    await storage.commit([BOB], giveBackAllowance(BOB, RATE));
    expect([await take(), await take()]).toEqual([true, false]);
  });

  test('more than the burst never gathers', async () => {
    await take();
    for (let turn = 0; turn < 3; turn++) await storage.commit([BOB], giveBackAllowance(BOB, RATE));
    opened.clock.advance(365 * 24 * 60 * MINUTE);
    const answers = [await take(), await take(), await take(), await take(), await take()];
    expect(answers).toEqual([true, true, true, true, false]);
  });

  test('attack 144: a clock that was a day ahead keeps nothing back, one that differs a little gives nothing', async () => {
    for (let turn = 0; turn < RATE.burstCount; turn++) await take();
    opened.clock.advance(-MINUTE);
    expect(await take()).toBe(false);
    opened.clock.advance(-24 * 60 * MINUTE);
    expect(await take()).toBe(true);
  });

  test('a full allowance is not a row', async () => {
    await take();
    const wholeMs = (RATE.burstCount / RATE.perSecond) * 1000;
    opened.clock.advance(wholeMs - 1000);
    expect(await storage.commit([], dropFullAllowances(RATE))).toBe(0);
    opened.clock.advance(1001);
    expect(await storage.commit([], dropFullAllowances(RATE))).toBe(1);
  });
});
