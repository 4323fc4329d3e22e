import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, enrol, NOW, raceOf, recoverySet, spendCode } from './rows.ts';

describeOnBothStores('recovery codes', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('a set is kept in the order in which it is shown, unused', async () => {
    await enrol(storage, ALICE);
    expect(await storage.factors.recoverySet(ALICE)).toEqual({
      salt: Buffer.from('salt 1'),
      pepperKeyId: 'key',
      generatedAt: NOW,
      codes: [1, 2, 3].map((position) => ({
        position,
        hash: `hash-1-${position}`,
        tag: position,
        usedAt: null,
      })),
    });
  });

  test('attack 57: of 200 parallel uses of one code exactly one is accepted, over two replicas', async () => {
    await enrol(storage, ALICE);
    const positions = await raceOf(200, await replicasOf(opened), (one) => spendCode(one, ALICE, 'hash-1-2'));
    expect(positions.filter((position) => position !== undefined)).toEqual([2]);
    const codes = (await storage.factors.recoverySet(ALICE))?.codes ?? [];
    expect(codes.map((code) => code.usedAt)).toEqual([null, expect.any(Number), null]);
  });

  test('an unknown code, or one of another user, is not accepted', async () => {
    await enrol(storage, ALICE);
    await enrol(storage, BOB, { recovery: recoverySet('bob') });
    expect(await spendCode(storage, ALICE, 'hash-bob-1')).toBeUndefined();
    expect(await spendCode(storage, ALICE, 'unknown')).toBeUndefined();
    expect(await spendCode(storage, BOB, 'hash-bob-1')).toBe(1);
  });

  test('attack 82: old codes are dead at once after regeneration, on every replica', async () => {
    const [one, other] = await replicasOf(opened);
    await enrol(one, ALICE);
    expect(await spendCode(other, ALICE, 'hash-1-1')).toBe(1);
    expect(await one.factors.replaceRecoverySet(ALICE, recoverySet('2'))).toBe(true);
    for (const replica of [one, other]) {
      expect(await spendCode(replica, ALICE, 'hash-1-2')).toBeUndefined();
      const codes = (await replica.factors.recoverySet(ALICE))?.codes ?? [];
      expect(codes.filter((code) => code.usedAt === null)).toHaveLength(3);
    }
    expect(await spendCode(other, ALICE, 'hash-2-1')).toBe(1);
  });

  test('attack 82: a new set while old codes are being spent: each spend was before it or is refused', async () => {
    await enrol(storage, ALICE);
    const [one, other] = await replicasOf(opened);
    const [, ...spent] = await Promise.all([
      one.factors.replaceRecoverySet(ALICE, recoverySet('2')),
      ...Array.from({ length: 50 }, () => spendCode(other, ALICE, 'hash-1-1')),
    ]);
    expect(spent.filter((position) => position !== undefined).length).toBeLessThanOrEqual(1);
    const codes = (await storage.factors.recoverySet(ALICE))?.codes ?? [];
    expect(codes.map((code) => code.usedAt)).toEqual([null, null, null]);
  });

  test('without 2FA there is no set', async () => {
    expect(await storage.factors.replaceRecoverySet(ALICE, recoverySet('1'))).toBe(false);
    expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
  });

  test('a deleted set is gone, and 2FA stays on', async () => {
    await enrol(storage, ALICE);
    expect(await storage.factors.deleteRecoverySet(ALICE)).toBe(true);
    expect(await storage.factors.deleteRecoverySet(ALICE)).toBe(false);
    expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
    expect(await spendCode(storage, ALICE, 'hash-1-1')).toBeUndefined();
    expect(await storage.factors.isEnrolled(ALICE)).toBe(true);
  });
});
