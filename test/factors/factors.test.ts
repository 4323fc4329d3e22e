import { expect, test } from '@jest/globals';
import { everyFactor, Factors } from '../../src/factors/factors.ts';
import { RECOVERY_STAGE, TOTP_STAGE } from '../../src/matrix/wire.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { enrol, judge, testHasher, totpSettings } from '../support/enrolment.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { testVault } from '../support/test_vault.ts';

test('every stage has its factor, and a user the stages that he can use', async () => {
  const clock = new ManualClock();
  const storage = await openSqliteStorage({ path: ':memory:', clock });
  const parts = { store: storage.factors, vault: testVault(), clock };
  const factors = everyFactor({ ...parts, hasher: testHasher, totp: totpSettings });

  expect(factors.ofStage(TOTP_STAGE)).toMatchObject({ stage: TOTP_STAGE, isGuessable: true });
  expect(factors.ofStage(RECOVERY_STAGE)).toMatchObject({ stage: RECOVERY_STAGE, isGuessable: false });

  expect(await factors.stagesOf('@bob:hs')).toEqual([]);
  const { recoveryCodes } = await enrol(parts, '@bob:hs', { recoveryCodes: 1 });
  expect(await factors.stagesOf('@bob:hs')).toEqual([TOTP_STAGE, RECOVERY_STAGE]);
  const sent = { userId: '@bob:hs', token: recoveryCodes[0] ?? '', network: '192.0.2.1' };
  await judge(storage, factors.ofStage(RECOVERY_STAGE), sent);
  expect(await factors.stagesOf('@bob:hs')).toEqual([TOTP_STAGE]);
  await storage.close();
});

test('a stage without a factor is a mistake of ours', () => {
  expect(() => new Factors([]).ofStage(TOTP_STAGE)).toThrow(RangeError);
});
