import { beforeEach, expect, test } from '@jest/globals';
import { ask, type Driver } from '../../src/storage/statement.ts';
import { dropEndedLeases, findLease, leaveLease, takeLease } from '../../src/storage/tables/leases.ts';
import { describeOnPooledStores } from './on_both.ts';

const MINUTE = 60_000;
const keys = ask<{ key: string }>('SELECT key FROM leases ORDER BY key');

describeOnPooledStores('leases', (opened) => {
  let storage: Driver;

  beforeEach(() => {
    storage = opened.storage;
  });

  const stored = async (from = storage) => (await from.read(keys)).map(({ key }) => key);

  test('one holder at a time, on any connection, until it is given back', async () => {
    const another = await opened.openAnother();
    const takes = await Promise.all([
      storage.commit([], takeLease('k', 'one', MINUTE)),
      another.commit([], takeLease('k', 'two', MINUTE)),
    ]);
    expect(takes.filter((take) => take !== undefined)).toHaveLength(1);
    const [first, second] = takes[0] === undefined ? ['two', 'one'] : ['one', 'two'];
    expect(await storage.read(findLease('k'))).toEqual([{ holder: first, taken: 1, sealedOutcome: null }]);
    await another.commit([], leaveLease('k', second, Buffer.from('no holder')));
    await storage.commit([], leaveLease('k', first, Buffer.from('outcome')));
    expect(await another.read(findLease('k'))).toEqual([
      { holder: first, taken: 0, sealedOutcome: Buffer.from('outcome') },
    ]);
    expect(await another.commit([], takeLease('k', second, MINUTE))).toBeDefined();
    expect(await storage.read(findLease('k'))).toEqual([{ holder: second, taken: 1, sealedOutcome: null }]);
  });

  test('a lease ends by itself, and attack 144: also where the clock was a day ahead', async () => {
    await storage.commit([], takeLease('k', 'dead', MINUTE));
    opened.clock.advance(MINUTE);
    expect(await storage.commit([], takeLease('k', 'next', MINUTE))).toBeDefined();
    opened.clock.advance(-24 * 60 * MINUTE);
    expect(await storage.commit([], takeLease('k', 'third', MINUTE))).toBeDefined();
  });

  test('attack 169: a take that waited for another one, and so has an older time, does not win as well', async () => {
    expect(await storage.commit([], takeLease('k', 'first', MINUTE))).toBeDefined();
    opened.clock.advance(-1);
    expect(await storage.commit([], takeLease('k', 'waited', MINUTE))).toBeUndefined();
  });

  test('attack 144: a lease that was given back is free, also where the clock jumped back meanwhile', async () => {
    await storage.commit([], takeLease('k', 'one', MINUTE));
    await storage.commit([], leaveLease('k', 'one', null));
    opened.clock.advance(-MINUTE / 2);
    expect(await storage.commit([], takeLease('k', 'two', MINUTE))).toBeDefined();
  });

  test('ended leases are dropped, live ones are not', async () => {
    await storage.commit([], takeLease('old', 'x', MINUTE));
    opened.clock.advance(3 * MINUTE);
    await storage.commit([], takeLease('live', 'x', MINUTE));
    expect(await storage.commit([], dropEndedLeases(MINUTE))).toBe(1);
    expect(await stored()).toEqual(['live']);
  });
});
