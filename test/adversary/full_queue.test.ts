import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RecoveryFactor } from '../../src/factors/recovery/recovery_factor.ts';
import { hashingQueue, RecoveryHasher } from '../../src/factors/recovery/recovery_hasher.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { attempt, enrol, judge } from '../support/enrolment.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { testVault } from '../support/test_vault.ts';

const BOB = '@bob:hs';

let storage: Storage;
let clock: ManualClock;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
});

afterEach(() => storage.close());

test('attack 56: strangers who keep the hashing busy do not make the owner’s recovery codes count as wrong', async () => {
  const parts = { store: storage.factors, vault: testVault(), clock };
  const { recoveryCodes } = await enrol(parts, BOB);
  const queue = hashingQueue(1, 0);
  const factor = new RecoveryFactor(
    { ...parts, hasher: new RecoveryHasher(queue), mayHaveCodes: () => Promise.resolve(true) },
    6,
  );
  let letGo = () => {};
  const busy = queue.run({ party: '@eve:hs' }, () => new Promise<void>((resolve) => (letGo = resolve)));

  const sent = { userId: BOB, token: recoveryCodes[0] ?? '', network: '192.0.2.1' };
  await expect(factor.verify(...attempt(sent))).rejects.toMatchObject({ refusal: 'limit_exceeded' });
  expect(await storage.read(lanesOf(BOB))).toEqual([]);

  letGo();
  await busy;
  expect(await judge(storage, factor, sent)).toMatchObject({ accepted: true });
});
