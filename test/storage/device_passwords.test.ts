import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import {
  countDevicePasswordsUnder,
  dropDevicePassword,
  endDevicePassword,
  endDevicePasswordsOf,
  endDevicePasswordsOfTheFuture,
  findAnyDevicePassword,
  findDevicePassword,
  findDevicePasswordOfToken,
  freeEndedDevicePasswords,
  keepDevicePassword,
  leaseDevicePasswordUntil,
  leaseEndedDevicePasswords,
  listDevicePasswords,
  markFirstUse,
  markRecordedUse,
  renameDevicePassword,
  useDevicePassword,
} from '../../src/storage/tables/device_passwords.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, enrol, MINUTE, NOW } from './rows.ts';

const HOUR = 60 * MINUTE;

describeOnBothStores('device passwords', (opened) => {
  let storage: Storage;

  beforeEach(async () => {
    storage = opened.storage;
    await enrol(storage, ALICE);
  });

  const made = (id: string, lifetimeMs: number | null = null, userId = ALICE) => ({
    ...{ id, userId, name: 'bot', deviceId: `D${id}`, tokenHash: `token ${id}`, lifetimeMs },
    secretDigest: `key.${id}`,
    sealedToken: Buffer.from(id),
  });
  const keep = (id: string, most = 9, lifetimeMs: number | null = null, store = storage) =>
    store.commit([ALICE], keepDevicePassword(made(id, lifetimeMs), most));
  const ids = async () => (await storage.read(listDevicePasswords(ALICE))).map(({ id }) => id);
  const lease = (until = NOW + MINUTE) => storage.commit([], leaseEndedDevicePasswords(until, 9));

  test('are kept with their times, and found by each digest', async () => {
    expect(await keep('a')).toEqual({ createdAt: NOW });
    await keep('b', 9, HOUR);
    const [found] = await storage.read(findDevicePassword(['other.b', 'key.b']));
    expect(found).toMatchObject({ id: 'b', userId: ALICE, deviceId: 'Db', expiresAt: NOW + HOUR });
    expect(found?.sealedToken).toEqual(Buffer.from('b'));
    expect(await storage.read(findDevicePassword(['other.b']))).toEqual([]);
    expect((await storage.read(findDevicePasswordOfToken('token a')))[0]).toMatchObject({ expiresAt: null });
    expect((await storage.read(countDevicePasswordsUnder('key')))[0]?.count).toBe(2);
    expect((await storage.read(countDevicePasswordsUnder('ke')))[0]?.count).toBe(0);
  });

  test('attack 220: are no more than the maximum over two connections at once, and none without 2FA', async () => {
    const another = await opened.openAnother();
    const kept = await Promise.all(
      Array.from({ length: 12 }, (_, at) => keep(String(at), 3, null, at % 2 === 0 ? storage : another)),
    );
    expect(kept.filter((each) => each !== undefined)).toHaveLength(3);
    expect(await storage.commit([BOB], keepDevicePassword(made('x', null, BOB), 3))).toBeUndefined();
  });

  test('a use is lost after the end; the first is marked once, and then one an hour', async () => {
    await keep('a');
    expect(await storage.commit([ALICE], useDevicePassword('a', '192.0.2.7', 'new.a'))).toBeDefined();
    expect(await storage.commit([ALICE], markFirstUse('a'))).toBeDefined();
    expect(await storage.commit([ALICE], markFirstUse('a'))).toBeUndefined();
    expect(await storage.commit([ALICE], markRecordedUse('a'))).toBeUndefined();
    expect(await opened.at(NOW + HOUR).commit([ALICE], markRecordedUse('a'))).toBeDefined();
    // By a clock that went back.
    expect(await opened.at(NOW).commit([ALICE], markRecordedUse('a'))).toBeDefined();
    expect(await storage.commit([BOB], endDevicePassword(BOB, 'a'))).toBeUndefined();
    expect(await storage.commit([ALICE], renameDevicePassword(BOB, 'a', 'x'))).toBeUndefined();
    expect(await storage.commit([ALICE], renameDevicePassword(ALICE, 'a', 'x'))).toBeDefined();
    expect(await storage.commit([ALICE], endDevicePassword(ALICE, 'a'))).toBeDefined();
    expect(await storage.commit([ALICE], endDevicePassword(ALICE, 'a'))).toBeUndefined();
    expect(await storage.commit([ALICE], useDevicePassword('a', '192.0.2.7', 'new.a'))).toBeUndefined();
    expect(await storage.read(findDevicePassword(['new.a']))).toEqual([]);
    expect(await storage.read(findAnyDevicePassword())).toEqual([]);
  });

  test('what has ended is leased to one sweep at a time until it is dropped', async () => {
    await keep('a');
    await keep('b');
    expect(await lease()).toEqual([]);
    await storage.commit([ALICE], endDevicePasswordsOf(ALICE));
    expect(await ids()).toEqual([]);
    expect((await lease()).map(({ id, attempts }) => [id, attempts])).toEqual(
      expect.arrayContaining([
        ['a', 1],
        ['b', 1],
      ]),
    );
    expect(await lease()).toEqual([]);
    await storage.commit([], [leaseDevicePasswordUntil('a', NOW), dropDevicePassword('b')]);
    expect((await lease()).map(({ id, attempts }) => [id, attempts])).toEqual([['a', 2]]);
  });

  test('attack 144: an end or a lease in the future, of a clock or a backup, keeps no logout waiting', async () => {
    await keep('a');
    await opened.at(NOW + 24 * HOUR).commit([ALICE], endDevicePassword(ALICE, 'a'));
    opened.clock.set(NOW);
    await storage.commit([], endDevicePasswordsOfTheFuture(MINUTE, HOUR));
    expect(await lease(NOW + 48 * HOUR)).toHaveLength(1);
    await storage.commit([], endDevicePasswordsOfTheFuture(MINUTE, HOUR));
    expect(await lease(NOW + 48 * HOUR)).toHaveLength(1);
    await storage.commit([], freeEndedDevicePasswords());
    expect(await lease()).toHaveLength(1);
  });
});
