import { beforeEach, expect, test } from '@jest/globals';
import { when } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { growVersion } from '../../src/storage/tables/accounts.ts';
import {
  approveDeviceGrant,
  claimGrant,
  denyDeviceGrant,
  endGrantsOf,
  findGrant,
  findPendingDeviceGrant,
  giveBackClaim,
  noteDevicePoll,
  pruneGrants,
  useGrant,
} from '../../src/storage/tables/oauth_grants.ts';
import { endWrongTimes } from '../../src/storage/tables/wrong_times.ts';
import { ASKED, keepCodeOf, keepDeviceGrantOf } from './oauth_rows.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, MINUTE, NOW, raceOf } from './rows.ts';

const DAY = 24 * 60 * MINUTE;

describeOnBothStores('OAuth grants', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  const claim = (id = 'code', claimant = 'one', on = storage) =>
    on.commit([], claimGrant(id, claimant, MINUTE));
  const use = (claimant = 'one', id = 'code') =>
    storage.commit([ALICE], when(useGrant(id, claimant, 'session'), { won: [], lost: 'undo' }));
  const find = async (id = 'code') => (await storage.read(findGrant(id)))[0];
  const poll = async (id = 'device', client = 'client') => {
    const { won } = await storage.commit([], noteDevicePoll(id, client, 5000));
    return won;
  };
  const approved = (userId = ALICE, version = 0) => ({ userId, version, sealedLogin: Buffer.from('login') });
  const approve = (id: string, userId = ALICE, version = 0, on = storage) =>
    on.commit([userId], approveDeviceGrant(id, approved(userId, version)));

  test('a code is kept with what it is bound to, and claimed by one of many requests', async () => {
    await keepCodeOf(storage, { nonce: 'nonce' });
    const bound = { ...ASKED, redirectUri: 'https://app.example/', challenge: 'challenge', userId: ALICE };
    expect(await find()).toMatchObject({ ...bound, kind: 'code', state: 'approved', nonce: 'nonce' });
    expect(await find()).toMatchObject({ createdAt: NOW, expiresAt: NOW + 2 * MINUTE, now: NOW });
    const claimed = await raceOf(30, await replicasOf(opened), (one, at) => claim('code', `${at}`, one));
    const won = claimed.filter((each) => each !== undefined);
    expect(won).toHaveLength(1);
    expect(won[0]).toMatchObject({ ...bound, sealedLogin: Buffer.from('login'), version: 0 });
  });

  test('a claim is given back by its claimant, or is over; what was used stays used', async () => {
    await keepCodeOf(storage);
    await claim();
    await storage.commit([], giveBackClaim('code', 'other'));
    expect(await claim('code', 'other')).toBeUndefined();
    await storage.commit([], giveBackClaim('code', 'one'));
    expect(await claim('code', 'other')).toBeDefined();
    opened.clock.set(NOW + MINUTE);
    expect(await claim('code', 'third')).toBeDefined();
    expect(await use('other')).toMatchObject({ won: false });
    // Whoever has claimed it in time may take longer than it lives.
    opened.clock.set(NOW + 3 * MINUTE);
    expect(await use('third')).toMatchObject({ won: true });
    expect(await use('third')).toMatchObject({ won: false });
    expect(await claim('code', 'third')).toBeUndefined();
    expect(await find()).toMatchObject({ state: 'used', sessionId: 'session', sealedLogin: null });
    expect((await find())?.usedAt).toBe(NOW + 3 * MINUTE);
  });

  test('what has expired is not claimed', async () => {
    await keepCodeOf(storage);
    opened.clock.set(NOW + 2 * MINUTE);
    expect(await claim()).toBeUndefined();
  });

  test('a change of factors or password ends it before the claim, and before the use', async () => {
    await keepCodeOf(storage);
    await keepCodeOf(storage, { idHash: 'claimed' });
    expect(await claim('claimed')).toBeDefined();
    await storage.commit([ALICE], growVersion(ALICE));
    expect(await claim()).toBeUndefined();
    expect(await use('one', 'claimed')).toMatchObject({ won: false });
    expect(await keepCodeOf(storage, { idHash: 'old' })).toBeUndefined();
    expect(await keepCodeOf(storage, { idHash: 'new', version: 1 })).toBeDefined();
    await storage.commit([BOB], endGrantsOf(BOB));
    expect(await find('new')).toBeDefined();
    await storage.commit([ALICE], endGrantsOf(ALICE));
    expect(await find('new')).toBeUndefined();
  });

  test('a device grant is decided once, by whoever comes first', async () => {
    await keepDeviceGrantOf(storage);
    const [found] = await storage.read(findPendingDeviceGrant('user code of device'));
    expect(found).toMatchObject({ idHash: 'device', askedFrom: '192.0.2.7', state: 'pending' });
    expect(await claim('device')).toBeUndefined();
    const decided = await raceOf(20, await replicasOf(opened), (one, at) =>
      at % 3 === 0
        ? one.commit([], denyDeviceGrant('device', BOB))
        : approve('device', at % 2 === 0 ? ALICE : BOB, 0, one),
    );
    expect(decided.filter((each) => each !== undefined)).toHaveLength(1);
    expect(await storage.read(findPendingDeviceGrant('user code of device'))).toEqual([]);
  });

  test('one that was denied, has expired, or is approved under an old version is not claimed', async () => {
    for (const idHash of ['denied', 'approved', 'late']) await keepDeviceGrantOf(storage, { idHash });
    await storage.commit([], denyDeviceGrant('denied', ALICE));
    expect(await find('denied')).toMatchObject({ state: 'denied', userId: ALICE });
    expect(await claim('denied')).toBeUndefined();
    await storage.commit([ALICE], growVersion(ALICE));
    expect(await approve('approved')).toBeUndefined();
    expect(await approve('approved', ALICE, 1)).toBeDefined();
    expect(await claim('approved')).toBeDefined();
    opened.clock.set(NOW + 10 * MINUTE);
    expect(await approve('late', ALICE, 1)).toBeUndefined();
    expect(await storage.commit([], denyDeviceGrant('late', ALICE))).toBeUndefined();
  });

  test('polls that come too soon lengthen the interval; those of another client change nothing', async () => {
    await keepDeviceGrantOf(storage);
    expect(await poll()).toBe(true);
    opened.clock.set(NOW + 4999);
    expect(await poll('device', 'another')).toBe(false);
    const [late, soon] = [noteDevicePoll('device', 'client', 5000), { intervalMs: 10_000 }];
    expect(await storage.commit([], late)).toEqual({ won: false, after: soon });
    opened.clock.set(NOW + 4999 + 9999);
    expect(await poll()).toBe(false);
    opened.clock.set(NOW + 4999 + 9999 + 15_000);
    expect(await poll()).toBe(true);
    // By a clock that went back.
    opened.clock.set(NOW);
    expect(await poll()).toBe(true);
  });

  test('so many may wait from one address, and in all; a user code is in use once', async () => {
    const limits = { perAddress: 2, inAll: 3 };
    const ask = (idHash: string, askedFrom = '192.0.2.7') =>
      keepDeviceGrantOf(storage, { idHash, askedFrom }, limits);
    expect(await ask('1')).toBeDefined();
    expect(await ask('2')).toBeDefined();
    expect(await ask('3')).toBeUndefined();
    expect(await ask('4', '192.0.2.8')).toBeDefined();
    expect(await ask('5', '192.0.2.9')).toBeUndefined();
    await storage.commit([], denyDeviceGrant('1', ALICE));
    expect(await ask('6')).toBeDefined();
    opened.clock.set(NOW + 10 * MINUTE);
    expect(await ask('7')).toBeDefined();
    const same = { idHash: '8', userCodeHash: 'user code of 7' };
    expect(await keepDeviceGrantOf(storage, same)).toBeUndefined();
  });

  test('attack 316: those of one moment do not pass the limits together', async () => {
    const limits = { perAddress: 5, inAll: 8 };
    const kept = await raceOf(40, await replicasOf(opened), (one, at) =>
      keepDeviceGrantOf(one, { idHash: `${at}`, askedFrom: `192.0.2.${at % 4 < 2 ? 1 : 2}` }, limits),
    );
    expect(kept.filter((each) => each !== undefined)).toHaveLength(8);
  });

  test('expired ones are removed, used ones after 30 days, and those of a clock that was ahead', async () => {
    await keepCodeOf(storage);
    await keepCodeOf(storage, { idHash: 'unused' });
    await claim();
    await use();
    await storage.commit([], pruneGrants());
    expect(await find('unused')).toBeDefined();
    await opened.at(NOW + 2 * MINUTE).commit([], pruneGrants());
    expect([await find(), await find('unused')]).toEqual([expect.anything(), undefined]);
    await opened.at(NOW + 30 * DAY + 2 * MINUTE).commit([], pruneGrants());
    expect(await find()).toBeUndefined();

    await keepCodeOf(storage, { idHash: 'ahead' });
    await opened.at(NOW).commit([], endWrongTimes(MINUTE));
    expect(await find('ahead')).toBeUndefined();
  });
});
