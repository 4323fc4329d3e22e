import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { endFreeHold } from '../../src/storage/tables/holds.ts';
import { nextEndOfHold } from '../support/rows.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, claim, held, MINUTE, NOW, raceOf, take } from './rows.ts';

describeOnBothStores('held logins', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('a hold is found until its end, as it was kept', async () => {
    const full = held({ id: 'full', joinKey: 'join', foldedJoinKey: 'folded', atEnd: 'forget' });
    const bare = held({ id: 'bare', joinKey: null, foldedJoinKey: null });
    await storage.holds.hold(full);
    await storage.holds.hold(bare);
    expect(await opened.at(full.expiresAt - 1).holds.find('full')).toEqual(full);
    expect(await opened.at(full.expiresAt).holds.find('full')).toBeUndefined();
    expect(await opened.at(NOW).holds.find('bare')).toEqual(bare);
  });

  test('attack 30: of 50 parallel finishers exactly one gets the hold', async () => {
    await storage.holds.hold(held({ id: 'one' }));
    const [one, other] = await replicasOf(opened);
    const claims = await raceOf(50, [one, other], (replica, index) =>
      claim(replica, 'one', `claimant ${index}`, NOW + MINUTE),
    );
    const winner = claims.indexOf(true);
    expect(claims.filter(Boolean)).toHaveLength(1);
    const releases = await raceOf(50, [one, other], (replica, index) =>
      replica.holds.end('one', `claimant ${index}`),
    );
    expect(releases.filter(Boolean)).toHaveLength(1);
    expect(releases[winner]).toBe(true);
    expect(await storage.holds.find('one')).toBeUndefined();
    expect(await nextEndOfHold(storage)).toBe(NOW);
  });

  test('taking: for exactly one caller, and on record with it', async () => {
    await storage.holds.hold(held({ id: 'one' }));
    const record = {
      at: NOW,
      userId: ALICE,
      event: 'login.completed',
      address: null,
      deviceId: null,
      detail: {},
    };
    const takes = await raceOf(50, await replicasOf(opened), (one) => take(one, 'one', record));
    expect(takes.filter(Boolean)).toHaveLength(1);
    expect(await storage.holds.find('one')).toBeUndefined();
    expect((await storage.audit.list({ userId: ALICE })).map(({ event }) => event)).toEqual([
      'login.completed',
    ]);
  });

  test('taking: neither what is claimed nor what has ended nor what is being logged out', async () => {
    const one = held({ id: 'one' });
    await storage.holds.hold(one);
    await claim(storage, 'one', 'finisher', NOW + 1000);
    expect(await take(storage, 'one', null)).toBe(false);
    expect(await take(opened.at(one.expiresAt), 'one', null)).toBe(false);
    await storage.holds.leaseEnded(one.expiresAt + MINUTE, 1);
    expect(await take(opened.at(NOW + 1000), 'one', null)).toBe(false);
    expect(await storage.audit.list({})).toEqual([]);
  });

  test('of 50 releases by the claimant himself exactly one is true', async () => {
    await storage.holds.hold(held({ id: 'one' }));
    await claim(storage, 'one', 'me', NOW + MINUTE);
    const releases = await raceOf(50, await replicasOf(opened), (one) => one.holds.end('one', 'me'));
    expect(releases.filter(Boolean)).toHaveLength(1);
  });

  test('a claim given back, or run out, is free for the next', async () => {
    await storage.holds.hold(held({ id: 'one' }));
    expect(await claim(storage, 'one', 'a', NOW + 1000)).toBe(true);
    await storage.holds.unclaim('one', 'somebody else');
    expect(await claim(storage, 'one', 'b', NOW + 1000)).toBe(false);
    await storage.holds.unclaim('one', 'a');
    expect(await claim(storage, 'one', 'b', NOW + 1000)).toBe(true);
    expect(await claim(opened.at(NOW + 999), 'one', 'c', NOW + 2000)).toBe(false);
    expect(await claim(opened.at(NOW + 1000), 'one', 'c', NOW + 2000)).toBe(true);
    expect(await opened.at(NOW).holds.end('one', 'b')).toBe(false);
    expect(await storage.holds.end('one', 'c')).toBe(true);
  });

  test('a hold that no one is finishing is ended by one of many; one that is claimed is left', async () => {
    await storage.holds.hold(held({ id: 'one' }));
    const endFree = (one: Storage) => one.commit([], endFreeHold('one'));
    await claim(storage, 'one', 'a', NOW + 1000);
    expect(await endFree(storage)).toBeUndefined();
    const ends = await raceOf(50, await replicasOf(opened), (one) => endFree(opened.at(NOW + 1000, one)));
    expect(ends.filter((end) => end !== undefined)).toHaveLength(1);
    expect(await nextEndOfHold(storage)).toBe(NOW + 1000);
  });

  test('an ended hold cannot be claimed', async () => {
    const one = held({ id: 'one' });
    await storage.holds.hold(one);
    expect(await claim(opened.at(one.expiresAt), 'one', 'a', one.expiresAt + 1)).toBe(false);
    expect(await claim(opened.at(NOW), 'unknown', 'a', NOW + 1)).toBe(false);
  });

  test('a hold whose time runs out while somebody finishes it is his until the claim ends', async () => {
    const one = held({ id: 'one' });
    const after = one.expiresAt + 1000;
    await storage.holds.hold(one);
    await claim(storage, 'one', 'a', after);
    expect(await nextEndOfHold(storage)).toBe(after);
    expect(await opened.at(after - 1).holds.leaseEnded(after + 1, 10)).toEqual([]);
    expect(await opened.at(NOW).holds.end('one', 'a')).toBe(true);
  });

  test('a hold that is being logged out can no longer be released', async () => {
    const one = held({ id: 'one' });
    const after = one.expiresAt + 1000;
    await storage.holds.hold(one);
    await claim(storage, 'one', 'a', after);
    expect(await opened.at(after).holds.leaseEnded(after + 1, 10)).toHaveLength(1);
    expect(await opened.at(NOW).holds.end('one', 'a')).toBe(false);
  });

  test('a hold that is being logged out cannot be claimed by a process whose clock is behind', async () => {
    const one = held({ id: 'one' });
    await storage.holds.hold(one);
    expect(await opened.at(one.expiresAt).holds.leaseEnded(one.expiresAt + MINUTE, 10)).toHaveLength(1);
    expect(await claim(opened.at(one.expiresAt - 1), 'one', 'b', one.expiresAt)).toBe(false);
  });

  test('the holds of a user end together, claimed ones too', async () => {
    await storage.holds.hold(held({ id: 'a' }));
    await storage.holds.hold(held({ id: 'b' }));
    await storage.holds.hold(held({ id: 'past', expiresAt: NOW - 1 }));
    await storage.holds.hold(held({ id: 'other', userId: BOB }));
    await claim(opened.at(NOW - 1), 'b', 'finisher', NOW + MINUTE);
    expect(await opened.at(NOW).holds.countForUser(ALICE)).toBe(2);
    await storage.factors.endProofs(ALICE);
    expect(await storage.holds.countForUser(ALICE)).toBe(0);
    expect(await storage.holds.countForUser(BOB)).toBe(1);
    expect(await storage.holds.end('b', 'finisher')).toBe(false);
  });

  test('a password change ends a hold that is finished past its time, too', async () => {
    const one = held({ id: 'one' });
    await storage.holds.hold(one);
    await claim(storage, 'one', 'finisher', one.expiresAt + MINUTE);
    await opened.at(one.expiresAt + 1).factors.endProofs(ALICE);
    expect(await opened.at(NOW).holds.end('one', 'finisher')).toBe(false);
  });

  test('a claimant ends his hold without the others, once, and nobody else does', async () => {
    await storage.holds.hold(held({ id: 'a' }));
    await storage.holds.hold(held({ id: 'b' }));
    expect(await storage.holds.end('a', 'finisher')).toBe(false);
    await claim(storage, 'a', 'finisher', NOW + MINUTE);
    expect(await storage.holds.end('a', 'another')).toBe(false);
    expect(await storage.holds.end('a', 'finisher')).toBe(true);
    expect(await storage.holds.end('a', 'finisher')).toBe(false);
    expect(await storage.holds.find('a')).toBeUndefined();
    expect(await storage.holds.find('b')).toBeDefined();
    expect(await nextEndOfHold(storage)).toBe(NOW);
  });

  test('attack 25: ended holds are given out, live ones are not', async () => {
    await storage.holds.hold(held({ id: 'live', expiresAt: NOW + 1 }));
    const past = held({ id: 'past', expiresAt: NOW, atEnd: 'forget' });
    await storage.holds.hold(past);
    expect(await nextEndOfHold(storage)).toBe(NOW);
    expect(await storage.holds.leaseEnded(NOW + MINUTE, 10)).toEqual([{ ...past, attempts: 1 }]);
    expect(await nextEndOfHold(storage)).toBe(NOW + 1);
    await storage.holds.forget('past');
    await storage.holds.forget('past');
    await storage.holds.forget('live');
    expect(await nextEndOfHold(storage)).toBeUndefined();
  });

  test('attack 26: each ended hold goes to exactly one of several processes', async () => {
    for (let number = 0; number < 60; number += 1) {
      await storage.holds.hold(held({ id: `${number}`, expiresAt: NOW }));
    }
    const leases = await raceOf(20, await replicasOf(opened), (one) => one.holds.leaseEnded(NOW + MINUTE, 7));
    const ids = leases.flat().map((hold) => hold.id);
    expect(Math.max(...leases.map((lease) => lease.length))).toBe(7);
    expect(ids).toHaveLength(60);
    expect(new Set(ids).size).toBe(60);
  });

  test('attack 26: what a dead process had leased comes to another when the lease is over', async () => {
    const [dead, alive] = await replicasOf(opened);
    await dead.holds.hold(held({ id: 'one', expiresAt: NOW }));
    expect(await dead.holds.leaseEnded(NOW + MINUTE, 10)).toHaveLength(1);
    expect(await opened.at(NOW + MINUTE - 1, alive).holds.leaseEnded(NOW + 2 * MINUTE, 10)).toEqual([]);
    expect(await nextEndOfHold(alive)).toBe(NOW + MINUTE);
    expect(await opened.at(NOW + MINUTE, alive).holds.leaseEnded(NOW + 2 * MINUTE, 10)).toHaveLength(1);
  });

  test('attack 165: a logout that failed is tried again at its time, and the attempts are counted', async () => {
    const [one, other] = await replicasOf(opened);
    await one.holds.hold(held({ id: 'one', expiresAt: NOW }));
    expect(await one.holds.leaseEnded(NOW + MINUTE, 10)).toMatchObject([{ attempts: 1 }]);
    await one.holds.leaseUntil('one', NOW + 5 * MINUTE);
    expect(await opened.at(NOW + 5 * MINUTE - 1, other).holds.leaseEnded(NOW + 9 * MINUTE, 10)).toEqual([]);
    const again = await opened.at(NOW + 5 * MINUTE, other).holds.leaseEnded(NOW + 9 * MINUTE, 10);
    expect(again).toMatchObject([{ id: 'one', attempts: 2 }]);
  });

  test('attack 26: a hold survives its process and is finished by another one', async () => {
    await storage.holds.hold(held({ id: 'one' }));
    await storage.close();
    const next = await opened.openAnother();
    expect((await next.holds.find('one'))?.sealedGrant).toEqual(Buffer.from('sealed grant'));
    expect(await claim(next, 'one', 'next', NOW + MINUTE)).toBe(true);
    expect(await next.holds.end('one', 'next')).toBe(true);
  });
});
