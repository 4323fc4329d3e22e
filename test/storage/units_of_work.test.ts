import { beforeEach, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { ask, type Driver, decide, effect, when, whenBoth } from '../../src/storage/statement.ts';
import { describeOnPooledStores } from './on_both.ts';

const BOB = '@bob:hs.example';

/** Leases serve as the table: nothing hangs on them. */
const put = (key: string) =>
  decide('INSERT INTO leases (key, holder, until_at) VALUES (:key, :key, :now) ON CONFLICT DO NOTHING', {
    key,
  });
const keys = ask<{ key: string }>('SELECT key FROM leases ORDER BY key');

describeOnPooledStores('units of work', (opened) => {
  let storage: Driver;

  beforeEach(() => {
    storage = opened.storage;
  });

  const stored = async (from = storage) => (await from.read(keys)).map(({ key }) => key);

  test('a list is answered in its order, each by its kind', async () => {
    const answer = await storage.commit(
      [BOB],
      [
        put('a'),
        put('a'),
        effect('UPDATE leases SET until_at = 7 WHERE key = :key', { key: 'a' }),
        ask<{ untilAt: number }>('SELECT until_at AS "untilAt" FROM leases'),
        decide<{ key: string }>('DELETE FROM leases WHERE key = :key RETURNING key', { key: 'a' }),
      ],
    );
    expect(answer).toEqual([{}, undefined, 1, [{ untilAt: 7 }], { key: 'a' }]);
  });

  test('what follows from winning or losing stands in the same unit', async () => {
    const unit = when(put('a'), { won: [put('b')], lost: [put('c')] });
    expect(await storage.commit([BOB], unit)).toEqual({ won: true, row: {}, after: [{}] });
    expect(await storage.commit([BOB], unit)).toEqual({ won: false, after: [{}] });
    expect(await stored()).toEqual(['a', 'b', 'c']);
  });

  test('a unit that undoes writes nothing, whatever it wrote before', async () => {
    await storage.commit([BOB], put('a'));
    const unit = when(put('b'), { won: when(put('c'), { won: [], lost: [] }), lost: 'undo' });
    expect(await storage.commit([BOB], unit)).toMatchObject({ won: true });
    expect(await storage.commit([BOB], unit)).toEqual({ won: false, undone: true });
    expect(await stored()).toEqual(['a', 'b', 'c']);
  });

  test('of two decisions both are won, or nothing is written', async () => {
    await storage.commit([BOB], put('a'));
    const lost = { won: false, undone: true };
    expect(await storage.commit([BOB], whenBoth(put('a'), put('b'), [put('c')]))).toEqual(lost);
    expect(await storage.commit([BOB], whenBoth(put('b'), put('a'), [put('c')]))).toEqual(lost);
    expect(await stored()).toEqual(['a']);
    const answer = await storage.commit([BOB], whenBoth(put('b'), put('c'), [put('d'), put('a')]));
    expect(answer).toEqual({ won: true, row: {}, after: { won: true, row: {}, after: [{}, undefined] } });
    expect(await stored()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('a unit that fails fails alone and whole, though others share its commit', async () => {
    const broken = [
      put('x'),
      effect('INSERT INTO leases (key, holder, until_at) VALUES (:key, NULL, 0)', { key: 'y' }),
    ];
    const [one, other, third] = await Promise.allSettled([
      storage.commit([BOB], put('a')),
      storage.commit([BOB], broken),
      storage.commit([BOB], put('b')),
    ]);
    expect([one.status, other.status, third.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await stored()).toEqual(['a', 'b']);
  });

  test('another connection sees a unit as soon as it has resolved', async () => {
    const another = await opened.openAnother();
    await storage.commit([BOB], put('a'));
    expect(await stored(another)).toEqual(['a']);
  });

  test('a store that is away writes nothing and says so', async () => {
    const bringBack = await opened.takeAway();
    await expect(storage.commit([BOB], put('a'))).rejects.toThrow(StoreUnavailable);
    await expect(storage.read(keys)).rejects.toThrow(StoreUnavailable);
    await bringBack();
    expect(await stored()).toEqual([]);
  });

  test('of 200 parallel units on two connections one wins', async () => {
    const another = await opened.openAnother();
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, turn) => (turn % 2 === 0 ? storage : another).commit([BOB], put('a'))),
    );
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
  });
});
