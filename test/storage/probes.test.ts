import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { dropProbe, findProbe, keepProbe } from '../../src/storage/tables/probes.ts';
import { SECOND } from '../../src/system/clock.ts';
import { describeOnBothStores } from './on_both.ts';

describeOnBothStores('nonces of probes', (opened) => {
  let storage: Storage;
  beforeEach(() => {
    storage = opened.storage;
  });

  const isLive = async (nonceHash: string) => (await storage.read(findProbe(nonceHash))).length > 0;

  test('one counts for a minute, for every process', async () => {
    await (await opened.openAnother()).commit([], keepProbe('kept'));
    expect([await isLive('kept'), await isLive('other')]).toEqual([true, false]);
    opened.clock.advance(60 * SECOND - 1);
    expect(await isLive('kept')).toBe(true);
    opened.clock.advance(1);
    expect(await isLive('kept')).toBe(false);
  });

  test('one that is dropped does not count any more', async () => {
    await storage.commit([], keepProbe('kept'));
    await storage.commit([], dropProbe('kept'));
    expect(await isLive('kept')).toBe(false);
  });

  test('what a clock that was ahead has written does not count, and is dropped by the next one', async () => {
    await storage.commit([], keepProbe('ahead'));
    opened.clock.advance(-3600 * SECOND);
    expect(await isLive('ahead')).toBe(false);
    await storage.commit([], keepProbe('next'));
    opened.clock.advance(3600 * SECOND);
    expect(await isLive('ahead')).toBe(false);
  });
});
