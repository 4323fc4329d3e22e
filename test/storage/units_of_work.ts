import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ask, decide, effect, when } from '../../src/storage/statement.ts';
import type { Driver, HeldLogin } from '../../src/storage/stores.ts';
import { StoreUnavailable } from '../../src/storage/stores.ts';
import { dropFullAllowances, giveBackAllowance, takeAllowance } from '../../src/storage/tables/allowances.ts';
import {
  dropHold,
  endOneOfMost,
  findHoldsOfUser,
  findHoldsToJoin,
  keepHoldWhereRoom,
} from '../../src/storage/tables/holds.ts';
import { dropEndedLeases, findLease, leaveLease, takeLease } from '../../src/storage/tables/leases.ts';
import type { ManualClock } from '../support/manual_clock.ts';

/** A store whose time a test moves, and a second connection to the same database. */
export interface UnitsUnderTest {
  readonly storage: Driver;
  readonly clock: ManualClock;
  openAnother(): Promise<Driver>;
  takeAway(): Promise<() => Promise<void>>;
  dispose(): Promise<void>;
}

const BOB = '@bob:hs.example';
const RATE = { perSecond: 0.003, burstCount: 4 };
const MINUTE = 60_000;

/** Leases serve as the table: nothing hangs on them. */
const put = (key: string) =>
  decide('INSERT INTO leases (key, holder, until_at) VALUES (:key, :key, :now) ON CONFLICT DO NOTHING', {
    key,
  });
const keys = ask<{ key: string }>('SELECT key FROM leases ORDER BY key');

/** What every driver must do with units of work. */
export function describeUnitsOfWork(name: string, open: () => Promise<UnitsUnderTest>): void {
  describe(`units of work on ${name}`, () => {
    let opened: UnitsUnderTest;
    let storage: Driver;

    beforeEach(async () => {
      opened = await open();
      storage = opened.storage;
    });
    afterEach(() => opened.dispose());

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
        Array.from({ length: 200 }, (_, turn) =>
          (turn % 2 === 0 ? storage : another).commit([BOB], put('a')),
        ),
      );
      expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
    });

    describe('leases', () => {
      test('one holder at a time, on any connection, until it is given back', async () => {
        const another = await opened.openAnother();
        const takes = await Promise.all([
          storage.commit([], takeLease('k', 'one', MINUTE)),
          another.commit([], takeLease('k', 'two', MINUTE)),
        ]);
        expect(takes.filter((take) => take !== undefined)).toHaveLength(1);
        const [first, second] = takes[0] === undefined ? ['two', 'one'] : ['one', 'two'];
        expect(await storage.read(findLease('k'))).toEqual([
          { holder: first, taken: 1, sealedOutcome: null },
        ]);
        await another.commit([], leaveLease('k', second, Buffer.from('no holder')));
        await storage.commit([], leaveLease('k', first, Buffer.from('outcome')));
        expect(await another.read(findLease('k'))).toEqual([
          { holder: first, taken: 0, sealedOutcome: Buffer.from('outcome') },
        ]);
        expect(await another.commit([], takeLease('k', second, MINUTE))).toBeDefined();
        expect(await storage.read(findLease('k'))).toEqual([
          { holder: second, taken: 1, sealedOutcome: null },
        ]);
      });

      test('a lease ends by itself, and attack 144: also where the clock was a day ahead', async () => {
        await storage.commit([], takeLease('k', 'dead', MINUTE));
        opened.clock.advance(MINUTE);
        expect(await storage.commit([], takeLease('k', 'next', MINUTE))).toBeDefined();
        opened.clock.advance(-24 * 60 * MINUTE);
        expect(await storage.commit([], takeLease('k', 'third', MINUTE))).toBeDefined();
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

    describe('held logins', () => {
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
        (await from.commit([hold.userId], keepHoldWhereRoom(hold, maximum))) !== undefined;
      const found = async (exact: string[], folded: string[]) =>
        (await storage.read(findHoldsToJoin(exact, folded))).map(({ id }) => id);
      const live = async (userId: string) =>
        (await storage.read(findHoldsOfUser(userId))).map(({ id }) => id);

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
          Array.from({ length: 60 }, (_, turn) =>
            keep(held(`${turn}`), 8, turn % 2 === 0 ? storage : another),
          ),
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
            when(keepHoldWhereRoom(held(id), 3), {
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
        expect(await live(flooder)).toEqual(['f4', 'f3', 'f0']);
      });
    });

    describe('allowances', () => {
      const take = async (from = storage) =>
        (await from.commit([BOB], takeAllowance(BOB, RATE))) !== undefined;

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

      test('a full allowance is no row', async () => {
        await take();
        expect(await storage.commit([], dropFullAllowances(RATE))).toBe(0);
        opened.clock.advance(334_000);
        expect(await storage.commit([], dropFullAllowances(RATE))).toBe(1);
      });
    });
  });
}
