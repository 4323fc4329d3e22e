import { beforeEach, expect, test } from '@jest/globals';
import { when } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import {
  claimCredential,
  countForeignCredentials,
  findCredentials,
  findKnownCredential,
  keepBackedUp,
  noteCounterAlert,
  spendCounter,
} from '../../src/storage/tables/credentials.ts';
import { spendStepsUpTo } from '../../src/storage/tables/restored.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, confirmation, NOW, raceOf, setup } from './rows.ts';

const HASH = 'a'.repeat(64);

describeOnBothStores('credentials', (opened) => {
  let storage: Storage;
  beforeEach(() => {
    storage = opened.storage;
  });

  /** Adds a passkey of a user, with this id. */
  async function add(userId: string, id: string, one = storage, credentialHash = HASH): Promise<boolean> {
    await one.factors.beginSetup(setup(userId, { id, kind: 'webauthn' }));
    const credential = { authenticatorId: id, credentialHash, rpId: 'example.org', backedUp: 0 };
    const claim = { take: claimCredential(userId, credential), giveBack: [] };
    return one.factors.activate(
      confirmation(userId, { setupId: id, authenticatorId: id, step: 0, recovery: 'none', claim }),
    );
  }

  async function known(): Promise<boolean> {
    return (await storage.read(findKnownCredential(HASH))).length > 0;
  }

  async function spend(counter: number): Promise<boolean> {
    const write = spendCounter(ALICE, { authenticatorId: 'one', counter });
    return (await storage.commit([ALICE], write)) !== undefined;
  }

  test('a credential is that of one authenticator, and goes with it', async () => {
    expect(await add(ALICE, 'one')).toBe(true);
    expect(await add(BOB, 'two')).toBe(false);
    expect(await storage.factors.isEnrolled(BOB)).toBe(false);
    expect(await storage.read(findCredentials(ALICE))).toEqual([
      {
        authenticatorId: 'one',
        credentialHash: HASH,
        rpId: 'example.org',
        backedUp: 0,
        counterAlertAt: null,
      },
    ]);
    await storage.factors.removeAuthenticator(ALICE, 'one');
    expect(await known()).toBe(false);
    expect(await add(BOB, 'three')).toBe(true);
  });

  test('of many confirmations of one credential at once one has it, over two replicas', async () => {
    const won = await raceOf(10, await replicasOf(opened), (one, at) =>
      add(`@u${at}:localhost`, `setup${at}`, one),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  test('a counter only grows; those that do not count stay at 0', async () => {
    await add(ALICE, 'one');
    expect([
      await spend(0),
      await spend(0),
      await spend(5),
      await spend(5),
      await spend(4),
      await spend(0),
    ]).toEqual([true, true, true, false, false, false]);
    expect(await spend(6)).toBe(true);
    const elsewhere = spendCounter(BOB, { authenticatorId: 'one', counter: 9 });
    expect(await storage.commit([BOB], elsewhere)).toBeUndefined();
  });

  test('an alert is noted while the authenticator is there; what is said of copies is kept', async () => {
    await add(ALICE, 'one');
    const unit = when(noteCounterAlert(ALICE, 'one'), { won: keepBackedUp(ALICE, 'one', true), lost: [] });
    expect((await storage.commit([ALICE], unit)).won).toBe(true);
    expect(await storage.read(findCredentials(ALICE))).toMatchObject([{ backedUp: 1, counterAlertAt: NOW }]);
    expect((await storage.commit([BOB], when(noteCounterAlert(BOB, 'one'), { won: [], lost: [] }))).won).toBe(
      false,
    );
  });

  test('those of another domain are counted, as far as is asked', async () => {
    await add(ALICE, 'one');
    await add(BOB, 'two', storage, 'b'.repeat(64));
    const counted = async (rpId: string, most: number) =>
      (await storage.read(countForeignCredentials(rpId, most)))[0]?.count;
    expect(await counted('example.org', 10)).toBe(0);
    // In the order of the index one stands before theirs, the other behind it.
    for (const rpId of ['a.org', 'other.org']) {
      expect([await counted(rpId, 10), await counted(rpId, 1)]).toEqual([2, 1]);
    }
  });

  test('a restored copy leaves counters as they are', async () => {
    await add(ALICE, 'one');
    await storage.commit([], spendStepsUpTo(1_000_000));
    expect(await spend(1)).toBe(true);
  });
});
