import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import {
  addRecoveryContacts,
  changeRecoveryContacts,
  confirmContact,
  findConfirmable,
  findRecoveryContacts,
  type RecoveryContactsRow,
  removeRecoveryContacts,
} from '../../src/storage/tables/recovery_contacts.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, MINUTE, NOW } from './rows.ts';

describeOnBothStores('what owners set for the recovery of their account', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  const ROW: RecoveryContactsRow = {
    ...{ userId: ALICE, voters: '[]', absences: '[]', timeZone: 'Europe/Berlin', changedAt: 0 },
    ...{ contactKind: 'mail', sealedContact: Buffer.from('sealed'), contactConfirmedAt: null },
    ...{ confirmHash: 'hash', confirmUntil: NOW + MINUTE },
  };

  const add = (row = ROW) => storage.commit([row.userId], addRecoveryContacts(row));
  const of = async (userId: string) => (await storage.read(findRecoveryContacts(userId)))[0];

  test('the first of a user are kept, and no second ones', async () => {
    expect(await of(ALICE)).toBeUndefined();
    expect(await add()).toEqual({});
    expect(await of(ALICE)).toEqual({ ...ROW, changedAt: NOW });
    expect(await add({ ...ROW, confirmHash: 'another', voters: '[1]' })).toBeUndefined();
    expect(await of(ALICE)).toEqual({ ...ROW, changedAt: NOW });
    expect(await of(BOB)).toBeUndefined();
  });

  test('of changes of the same version one wins, within one millisecond too', async () => {
    await add();
    const before = await of(ALICE);
    if (before === undefined) throw new Error('it was not kept');
    const changes = Array.from({ length: 20 }, (_, at) =>
      storage.commit([ALICE], changeRecoveryContacts({ ...before, timeZone: `Zone/${at}` })),
    );
    const won = (await Promise.all(changes)).filter((answer) => answer !== undefined);
    expect(won).toHaveLength(1);
    const after = await of(ALICE);
    expect(after?.changedAt).toBeGreaterThan(before.changedAt);
    expect(await storage.commit([ALICE], changeRecoveryContacts({ ...before, userId: BOB }))).toBeUndefined();
  });

  test('a link confirms its address once, in its time', async () => {
    await add();
    expect(await storage.read(findConfirmable('hash'))).toMatchObject([{ userId: ALICE }]);
    expect(await storage.read(findConfirmable('another'))).toEqual([]);
    expect(await storage.commit([BOB], confirmContact(BOB, 'hash'))).toBeUndefined();
    const late = opened.at(NOW + MINUTE);
    expect(await late.read(findConfirmable('hash'))).toEqual([]);
    expect(await late.commit([ALICE], confirmContact(ALICE, 'hash'))).toBeUndefined();
    const inTime = opened.at(NOW + MINUTE - 1);
    const confirmed = await Promise.all(
      Array.from({ length: 5 }, () => inTime.commit([ALICE], confirmContact(ALICE, 'hash'))),
    );
    expect(confirmed.filter((answer) => answer !== undefined)).toHaveLength(1);
    expect(await of(ALICE)).toMatchObject({ contactConfirmedAt: NOW + MINUTE - 1, confirmHash: null });
    expect(await storage.read(findConfirmable('hash'))).toEqual([]);
  });

  test('they are removed once', async () => {
    await add();
    expect(await storage.commit([BOB], removeRecoveryContacts(BOB))).toBeUndefined();
    expect(await storage.commit([ALICE], removeRecoveryContacts(ALICE))).toEqual({});
    expect(await storage.commit([ALICE], removeRecoveryContacts(ALICE))).toBeUndefined();
    expect(await of(ALICE)).toBeUndefined();
  });
});
