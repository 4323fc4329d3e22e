import { beforeEach, expect, test } from '@jest/globals';
import { type Driver, effect, when } from '../../src/storage/statement.ts';
import { takeAllowance } from '../../src/storage/tables/allowances.ts';
import { dropHold, endOneOfMost, type HeldLogin, keepHoldWhereRoom } from '../../src/storage/tables/holds.ts';
import { findHoldsOfUser, findHoldsToJoin } from '../../src/storage/tables/holds_to_join.ts';
import { describeOnPooledStores } from './on_both.ts';

const BOB = '@bob:hs.example';
const RATE = { perSecond: 0.003, burstCount: 4 };
const MINUTE = 60_000;

describeOnPooledStores('held logins of one password', (opened) => {
  let storage: Driver;

  beforeEach(() => {
    storage = opened.storage;
  });

  const held = (id: string, different: Partial<HeldLogin> = {}): HeldLogin => ({
    id,
    userId: BOB,
    deviceId: 'DEVICE',
    joinKey: null,
    foldedJoinKey: null,
    ownerJoinKey: null,
    sealedGrant: Buffer.from('sealed grant'),
    atEnd: 'logout',
    createdAt: opened.clock.now(),
    expiresAt: opened.clock.now() + 5 * MINUTE,
    ...different,
  });
  const keep = async (hold: HeldLogin, maximum = 8, from = storage) =>
    (await from.commit([hold.userId], keepHoldWhereRoom(hold, maximum, undefined))) !== undefined;
  const found = async (exact: string[], folded: string[]) =>
    (await storage.read(findHoldsToJoin(exact, folded))).map(({ id }) => id);
  const live = async (userId: string) => (await storage.read(findHoldsOfUser(userId))).map(({ id }) => id);

  test('a hold is found by each of its keys, newest first, until its end', async () => {
    await keep(held('one', { joinKey: 'exact', foldedJoinKey: 'folded', ownerJoinKey: 'owner' }));
    opened.clock.advance(1);
    await keep(held('two', { joinKey: 'other', foldedJoinKey: 'folded', ownerJoinKey: 'owner' }));
    expect(await found(['exact'], [])).toEqual(['one']);
    expect(await found(['x', 'exact'], ['y'])).toEqual(['one']);
    expect(await found([], ['folded'])).toEqual(['two', 'one']);
    expect(await found([], ['x', 'owner'])).toEqual(['two', 'one']);
    expect(await found(['owner'], ['exact'])).toEqual([]);
    opened.clock.advance(5 * MINUTE - 1);
    expect(await found([], ['folded'])).toEqual(['two']);
    expect(await storage.read(findHoldsOfUser(BOB))).toEqual([
      held('two', {
        joinKey: 'other',
        foldedJoinKey: 'folded',
        ownerJoinKey: 'owner',
        createdAt: opened.clock.now() - 5 * MINUTE + 1,
        expiresAt: opened.clock.now() + 1,
      }),
    ]);
  });

  test('a user has no more live holds than there is room for, on two connections either', async () => {
    const another = await opened.openAnother();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, turn) => keep(held(`${turn}`), 8, turn % 2 === 0 ? storage : another)),
    );
    expect(answers.filter(Boolean)).toHaveLength(8);
    expect(await live(BOB)).toHaveLength(8);
    expect(await keep(held('other', { userId: '@carol:hs.example' }))).toBe(true);
    opened.clock.advance(5 * MINUTE);
    expect(await keep(held('later'))).toBe(true);
  });

  test('attack 143: without an allowance nothing is kept, and nothing is taken where nothing is kept', async () => {
    const begin = (id: string) =>
      storage.commit(
        [BOB],
        when(keepHoldWhereRoom(held(id), 3, undefined), {
          won: when(takeAllowance(BOB, RATE), { won: [], lost: dropHold(id) }),
          lost: [],
        }),
      );
    for (let turn = 0; turn < 6; turn++) await begin(`a${turn}`);
    expect(await live(BOB)).toHaveLength(3);
    opened.clock.advance(5 * MINUTE);
    for (let turn = 0; turn < 6; turn++) await begin(`b${turn}`);
    expect(await live(BOB)).toEqual(['b0']);
  });

  test('attack 139: beyond the maximum the oldest of the user with the most ends, and no one else\u2019s', async () => {
    const flooder = '@flooder:hs.example';
    await keep(held('owner'));
    for (let turn = 0; turn < 5; turn++) {
      opened.clock.advance(1);
      await keep(held(`f${turn}`, { userId: flooder }));
    }
    await storage.commit([], effect(`UPDATE holds SET claimed_until = :now + 1000 WHERE id = 'f0'`));
    expect(await storage.commit([], endOneOfMost(6))).toBeUndefined();
    expect(await storage.commit([], endOneOfMost(4))).toBeDefined();
    expect(await storage.commit([], endOneOfMost(4))).toBeDefined();
    expect(await storage.commit([], endOneOfMost(4))).toBeUndefined();
    expect(await live(BOB)).toEqual(['owner']);
    // One that a client is finishing stays, but is joined by no one until that is over.
    expect(await live(flooder)).toEqual(['f4', 'f3']);
    opened.clock.advance(1000);
    expect(await live(flooder)).toEqual(['f4', 'f3', 'f0']);
  });
});
