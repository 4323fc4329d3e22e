import { beforeEach, expect, test } from '@jest/globals';
import { ask } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import {
  dropEndedEmergencyCodes,
  putEmergencyCode,
  spendEmergencyCode,
} from '../../src/storage/tables/emergency_codes.ts';
import { endWhatWasUnderWay } from '../../src/storage/tables/restored.ts';
import { countPeppered } from '../../src/storage/tables/sealed_values.ts';
import { endWrongTimes } from '../../src/storage/tables/wrong_times.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, enrol, MINUTE, NOW, raceOf } from './rows.ts';

const HOUR = 60 * MINUTE;

describeOnBothStores('codes of operators', (opened) => {
  let storage: Storage;

  beforeEach(async () => {
    storage = opened.storage;
    await enrol(storage, ALICE);
  });

  function put(userId: string, hash: string) {
    const code = { salt: Buffer.from('salt'), pepperKeyId: 'key', hash, tag: 7 };
    return storage.commit([userId], putEmergencyCode(userId, code, HOUR));
  }

  async function spend(one: Storage, userId: string, hash: string): Promise<boolean> {
    return (await one.commit([userId], spendEmergencyCode(userId, hash))) !== undefined;
  }

  async function rows(): Promise<number> {
    const [row] = await storage.read(ask<{ count: number }>('SELECT count(*) AS count FROM emergency_codes'));
    return row?.count ?? 0;
  }

  test('one is kept for a user with 2FA, until its end', async () => {
    expect(await put(ALICE, 'one')).toEqual({ expiresAt: NOW + HOUR });
    expect(await storage.factors.emergencyCode(ALICE)).toEqual({
      salt: Buffer.from('salt'),
      pepperKeyId: 'key',
      hash: 'one',
      tag: 7,
    });
    expect(await storage.factors.recoverySet(ALICE)).toMatchObject({ codes: { length: 3 } });
    expect(await put(BOB, 'one')).toBeUndefined();
    expect(await storage.factors.emergencyCode(BOB)).toBeUndefined();
  });

  test('attack 187: of 200 parallel uses exactly one is accepted, over two replicas', async () => {
    await put(ALICE, 'one');
    const won = await raceOf(200, await replicasOf(opened), (one) => spend(one, ALICE, 'one'));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await storage.factors.emergencyCode(ALICE)).toBeUndefined();
  });

  test('attack 187: late it is gone, and its row too', async () => {
    await put(ALICE, 'one');
    expect(await storage.read(countPeppered('key'))).toEqual([{ sets: 1, emergencyCodes: 1, claims: 0 }]);
    opened.at(NOW + HOUR);
    expect(await storage.factors.emergencyCode(ALICE)).toBeUndefined();
    expect(await spend(storage, ALICE, 'one')).toBe(false);
    expect(await storage.read(countPeppered('key'))).toEqual([{ sets: 1, emergencyCodes: 0, claims: 0 }]);
    await storage.commit([], dropEndedEmergencyCodes());
    expect(await rows()).toBe(0);
  });

  test('attack 187: the next one takes its place; it is good for its user only', async () => {
    await enrol(storage, BOB);
    await put(ALICE, 'one');
    await put(ALICE, 'two');
    await put(BOB, 'three');
    expect(await spend(storage, ALICE, 'one')).toBe(false);
    expect(await spend(storage, ALICE, 'three')).toBe(false);
    expect(await spend(storage, ALICE, 'two')).toBe(true);
  });

  test.each([
    [
      'the last authenticator removed',
      () => storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`),
    ],
    ['all of a kind removed', () => storage.factors.removeKind(ALICE, 'totp')],
    ['everything removed', () => storage.factors.removeAllFactors(ALICE)],
    ['a backup restored', () => storage.commit([], endWhatWasUnderWay())],
  ])('attack 187: it ends: %s', async (_name, end) => {
    await put(ALICE, 'one');
    await end();
    expect(await rows()).toBe(0);
  });

  test('it stays while an authenticator is left, and ends if the clock was ahead', async () => {
    await enrol(storage, ALICE, { number: 2 });
    opened.at(NOW + HOUR);
    await put(ALICE, 'one');
    await storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`);
    expect(await rows()).toBe(1);
    opened.at(NOW);
    await storage.commit([], endWrongTimes(MINUTE));
    expect(await rows()).toBe(0);
  });
});
