import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verify as verifyArgon2 } from '@node-rs/argon2';
import { newRecoverySet } from '../../../src/factors/recovery/new_recovery_set.ts';
import { readRecoveryCode } from '../../../src/factors/recovery/recovery_code.ts';
import { RecoveryFactor } from '../../../src/factors/recovery/recovery_factor.ts';
import { openSqliteStorage } from '../../../src/storage/sqlite/sqlite_storage.ts';
import { effect } from '../../../src/storage/statement.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { attempt, enrol, judge, requireEnrolled, testHasher } from '../../support/enrolment.ts';
import '../../support/full_argon2.ts';
import { ManualClock } from '../../support/manual_clock.ts';
import { testVault } from '../../support/test_vault.ts';

const BOB = '@bob:hs';
const refused = { accepted: false };
const accepted = expect.objectContaining({ accepted: true });

let storage: Storage;
let clock: ManualClock;
let factor: RecoveryFactor;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
  factor = new RecoveryFactor(
    { ...parts(), hasher: testHasher, mayHaveCodes: () => Promise.resolve(true) },
    6,
  );
});

afterEach(() => storage.close());

function verify(userId: string, token: string, network = '192.0.2.1') {
  return judge(storage, factor, { userId, token, network });
}

function parts() {
  return { store: storage.factors, vault: testVault(), clock };
}

function aNewSet(count = 3, userId = BOB) {
  return newRecoverySet(
    { userId, count },
    { vault: testVault(), clock, random: systemRandom, hasher: testHasher },
  );
}

describe('a new set', () => {
  test('has as many codes as asked for, one salt, and a hash for each', async () => {
    const { shown, set } = await aNewSet(4);
    expect(new Set(shown).size).toBe(4);
    expect(new Set(set.hashes).size).toBe(4);
    expect(set.salt).toHaveLength(16);
    expect(set).toMatchObject({ pepperKeyId: 'test', generatedAt: clock.now() });
  });

  test('attack 57: what is kept is Argon2id over code, salt and pepper', async () => {
    const { shown, set } = await aNewSet(1);
    const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
    const hash = unpadded(Buffer.from(set.hashes[0] ?? '', 'hex'));
    const phc = `$argon2id$v=19$m=19456,t=2,p=1$${unpadded(set.salt)}$${hash}`;
    const code = readRecoveryCode(shown[0]) ?? '';
    expect(await verifyArgon2(phc, `${code} ${BOB}`, { secret: testVault().pepper().secret })).toBe(true);
    expect(await verifyArgon2(phc, `${code} ${BOB}`)).toBe(false);
  });
});

describe('judging a code', () => {
  test('a right code is accepted once, and says its position and how many are left', async () => {
    const { recoveryCodes } = await enrol(parts(), BOB);
    const code = recoveryCodes[1] ?? '';
    expect(await verify(BOB, code)).toEqual({ accepted: true, detail: { position: 2, remaining: 2 } });
    expect(await verify(BOB, code)).toEqual(refused);
  });

  test('attack 57: in any spelling it is the same code, accepted once', async () => {
    const { recoveryCodes } = await enrol(parts(), BOB);
    const code = recoveryCodes[0] ?? '';
    expect(await verify(BOB, code.toUpperCase().replaceAll('-', ' '))).toEqual(accepted);
    for (const spelling of [code, code.replaceAll('-', ''), code.toUpperCase()]) {
      expect(await verify(BOB, spelling)).toEqual(refused);
    }
  });

  test('attack 57: of many at the same moment one is accepted', async () => {
    const { recoveryCodes } = await enrol(parts(), BOB);
    const code = recoveryCodes[0] ?? '';
    const verdicts = await Promise.all(Array.from({ length: 20 }, (_, turn) => verify(BOB, code, `${turn}`)));
    expect(verdicts.filter((verdict) => verdict.accepted)).toHaveLength(1);
  });

  test('attack 140: from one network one code of a user waits to be looked at', async () => {
    const { recoveryCodes } = await enrol(parts(), BOB);
    // As in sets that were made before there were tags: each guess is hashed.
    await storage.commit([BOB], effect('UPDATE recovery_codes SET tag = NULL'));
    const tries = await Promise.allSettled(Array.from({ length: 20 }, () => verify(BOB, 'zzzz-zzzz-zzzz')));
    const owner = verify(BOB, recoveryCodes[0] ?? '', '198.51.100.7');
    // Two run at once, one waits.
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(await owner).toEqual(accepted);
  });

  test('attack 82: codes of the old set are dead as soon as there is a new one', async () => {
    const { recoveryCodes } = await enrol(parts(), BOB);
    const fresh = await aNewSet();
    await storage.factors.replaceRecoverySet(BOB, fresh.set);
    for (const old of recoveryCodes) expect(await verify(BOB, old)).toEqual(refused);
    expect(await verify(BOB, fresh.shown[2] ?? '')).toEqual({
      accepted: true,
      detail: { position: 3, remaining: 2 },
    });
  });

  test('attack 83: a set of codes copied into the rows of another user opens nothing there', async () => {
    await enrol(parts(), BOB);
    const eves = await aNewSet(1, '@eve:hs');
    await storage.factors.replaceRecoverySet(BOB, eves.set);
    expect(await verify(BOB, eves.shown[0] ?? '')).toEqual(refused);
  });

  test('attack 93: a code of another user is refused and stays unused', async () => {
    const bob = await enrol(parts(), BOB);
    await enrol(parts(), '@bob.:hs');
    expect(await verify('@bob.:hs', bob.recoveryCodes[0] ?? '')).toEqual(refused);
    expect(await verify(BOB, bob.recoveryCodes[0] ?? '')).toEqual(accepted);
  });

  test('attack 87: wrong, spent, malformed and of nobody: the same verdict', async () => {
    const { recoveryCodes } = await enrol(parts(), BOB);
    const code = recoveryCodes[0] ?? '';
    await verify(BOB, code);
    const verdicts = [
      await verify(BOB, '0000-0000-0000'),
      await verify(BOB, code),
      await verify(BOB, '123456'),
      await verify('@nobody:hs', code),
      await verify(BOB, 17 as unknown as string),
    ];
    expect(verdicts).toEqual(Array(5).fill(refused));
  });

  test('looking at a code spends nothing, and says to us what is wrong with it', async () => {
    const { recoveryCodes } = await enrol(parts(), BOB);
    const look = (token: string) => factor.verify(...attempt({ userId: BOB, token, network: '192.0.2.1' }));
    const code = recoveryCodes[0] ?? '';
    expect(await look(code)).toMatchObject({ is: 'match' });
    expect(await verify(BOB, code)).toEqual(accepted);
    // Its tag is not looked for any more, as it is used.
    expect(await look(code)).toEqual({ is: 'no_match', why: 'wrong' });
    await storage.commit([BOB], effect('UPDATE recovery_codes SET tag = NULL'));
    expect(await look(code)).toEqual({ is: 'no_match', why: 'spent' });
    expect(await look('123456')).toEqual({ is: 'no_match', why: 'malformed' });
  });

  test('a set whose pepper is no longer in the ring lets nobody in', async () => {
    await enrol(parts(), BOB);
    const { shown, set } = await aNewSet();
    await storage.factors.replaceRecoverySet(BOB, { ...set, pepperKeyId: 'lost' });
    await expect(verify(BOB, shown[0] ?? '')).rejects.toThrow();
  });
});

test('the factor is there while a code is left', async () => {
  const { recoveryCodes } = await enrol(parts(), BOB, { recoveryCodes: 1 });
  const isThere = async () => factor.available(BOB, await requireEnrolled(storage.factors, BOB));
  expect(await isThere()).toBe(true);
  await verify(BOB, recoveryCodes[0] ?? '');
  expect(await isThere()).toBe(false);
});

test('the state says which codes are used, and holds no code', async () => {
  const { recoveryCodes } = await enrol(parts(), BOB);
  const generatedAt = clock.now();
  clock.advance(1000);
  await verify(BOB, recoveryCodes[0] ?? '');
  expect(await factor.describe(BOB)).toEqual({
    remaining: 2,
    total: 3,
    generated_at: generatedAt,
    codes: [
      { position: 1, used_at: clock.now() },
      { position: 2, used_at: null },
      { position: 3, used_at: null },
    ],
  });
  expect(await factor.describe('@alice:hs')).toBeUndefined();
});
