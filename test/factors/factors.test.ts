import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Factors } from '../../src/factors/factors.ts';
import { createFactors } from '../../src/factors/list.ts';
import { TOTP_STAGE } from '../../src/factors/totp/totp_words.ts';
import { RECOVERY_STAGE } from '../../src/matrix/wire.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemRandom } from '../../src/system/random.ts';
import { enrol, judge, requireEnrolled, testHasher, totpSettings } from '../support/enrolment.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { testVault } from '../support/test_vault.ts';

let storage: Storage;
let clock: ManualClock;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
});

afterEach(() => storage.close());

function parts() {
  return { storage, store: storage.factors, vault: testVault(), clock, random: systemRandom };
}

function ours(): Factors {
  return createFactors({
    ...parts(),
    hasher: testHasher,
    mayHaveCodes: () => Promise.resolve(true),
    totp: totpSettings,
    webauthn: undefined,
  });
}

test('every stage has its factor, and a user the stages that they can use', async () => {
  const factors = ours();
  const recovery = factors.ofKind('recovery');
  if (recovery === undefined) throw new Error('recovery codes are not listed');
  expect(factors.ofStage(TOTP_STAGE)).toMatchObject({ kind: 'totp', role: 'primary', counter: 'codes' });
  expect(recovery).toMatchObject({ stage: RECOVERY_STAGE, role: 'backup' });

  const stages = async () => factors.stagesOf('@bob:hs', await requireEnrolled(storage.factors, '@bob:hs'));
  const { recoveryCodes } = await enrol(parts(), '@bob:hs', { recoveryCodes: 1 });
  expect(await stages()).toEqual([TOTP_STAGE, RECOVERY_STAGE]);
  const sent = { userId: '@bob:hs', token: recoveryCodes[0] ?? '', network: '192.0.2.1' };
  await judge(storage, recovery, sent);
  expect(await stages()).toEqual([TOTP_STAGE]);
});

test('a stage that no factor has is not found', () => {
  expect(ours().ofStage('m.login.2fa.sms')).toBeUndefined();
  expect(ours().ofKind('sms')).toBeUndefined();
});

test('backup factors come after primary ones, in whatever order they are listed', () => {
  const { all } = ours();
  const [backup, ...primary] = [...all].reverse();
  if (backup === undefined) throw new Error('there are no factors');
  expect(new Factors([backup, ...primary.reverse()]).all).toEqual(all);
});

test('a primary factor has words for all that can happen to its authenticators', () => {
  const deeds = ['enabled', 'added', 'removed', 'renamed', 'disabled', 'used'];
  for (const { role, events } of ours().all) {
    if (role === 'primary') expect(Object.keys(events)).toEqual(expect.arrayContaining(deeds));
  }
});

test('two factors of one kind are a mistake of ours', () => {
  const { all } = ours();
  expect(() => new Factors([...all, ...all])).toThrow('two factors have the same kind');
});

test.each(['', 'Key', 'a/b', 'a b'])('a kind cannot be called "%s": it stands in paths', (kind) => {
  const [totp] = ours().all;
  if (totp === undefined) throw new Error('there is no factor');
  expect(() => new Factors([{ ...totp, kind }])).toThrow('cannot be called');
});

test.each([
  ['123456', 'totp', '123456'],
  [' 123 456 ', 'totp', '123456'],
  ['123-456', 'totp', '123456'],
  ['12\u00a0345\u2009678', 'totp', '12345678'],
  ['7q2k-x9vd-03mh', 'recovery', '7q2k-x9vd-03mh'],
  ['7Q2K X9VD 03MH', 'recovery', '7Q2KX9VD03MH'],
  ['1234-5678-9012', 'recovery', '1234-5678-9012'],
  ['１２３４５６', 'recovery', '１２３４５６'],
])('attack 58: %j is read as a code of %s', (typed, kind, code) => {
  expect(ours().readTyped(typed, [])).toMatchObject({ factor: { kind }, proof: code });
});

test('what looks like codes of several is read as one that can be given now', () => {
  const read = (...stages: string[]) => ours().readTyped('123456', stages)?.factor.kind;
  expect(read(TOTP_STAGE, RECOVERY_STAGE)).toBe('totp');
  expect(read('m.login.2fa.webauthn', RECOVERY_STAGE)).toBe('recovery');
  expect(read()).toBe('totp');
});

test.each(['', ' ', '\u00a0\u202f', '-', ' - - ', '\u2013'])('attack 173: %j is a missing code', (typed) => {
  expect(ours().readTyped(typed, [])).toBeUndefined();
});

test.each([
  ['correct horse 123456', 'correct horse', '123456', 'totp'],
  ['correct horse123456', 'correct horse', '123456', 'totp'],
  ['correct horse 123 456', 'correct horse', '123456', 'totp'],
  // The last word and the code are twelve characters behind a blank, as a recovery code is.
  ['correct horse staple123456', 'correct horse staple', '123456', 'totp'],
  ['horse 7q2k-x9vd-03mh', 'horse', '7q2k-x9vd-03mh', 'recovery'],
  ['horse7q2k-x9vd-03mh', 'horse', '7q2k-x9vd-03mh', 'recovery'],
  ['horse 7q2kx9vd03mh', 'horse', '7q2kx9vd03mh', 'recovery'],
  ['horse 7q2kx9123456', 'horse', '7q2kx9123456', 'recovery'],
  ['horse 123456123456', 'horse', '123456123456', 'recovery'],
])('"%s" is a password and a code', (field, password, code, kind) => {
  expect(ours().readAppended(field)).toMatchObject({ password, proof: code, factor: { kind } });
});

const DEVICE_PASSWORD = 'm2dp-66yc-tv1g-d9t7-fyqf-wy9s-djpa-1fx8-4mgc';

test.each(['correct horse', '123456', '7q2k-x9vd-03mh', 'horse7q2kx9vd03mh', 'horse12345'])(
  'no code is read off "%s"',
  (field) => {
    expect(ours().readAppended(field)).toBeUndefined();
  },
);

test.each([
  DEVICE_PASSWORD,
  DEVICE_PASSWORD.toUpperCase().replaceAll('-', ' '),
  `${DEVICE_PASSWORD.slice(0, -6)}12-3456`,
  `${DEVICE_PASSWORD} 123456`,
  `${DEVICE_PASSWORD} 7q2k-x9vd-03mh`,
])('attack 225: no code is read off a device password, "%s"', (field) => {
  expect(ours().readAppended(field)).toBeUndefined();
});
