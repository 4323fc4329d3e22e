import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { TotpFactor } from '../../../src/factors/totp/totp_factor.ts';
import { openSqliteStorage } from '../../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { systemRandom } from '../../../src/system/random.ts';
import {
  attempt,
  codeAt,
  enrol,
  judge,
  requireEnrolled,
  totpSettings,
  wrongCode,
} from '../../support/enrolment.ts';
import { ManualClock } from '../../support/manual_clock.ts';
import { testVault } from '../../support/test_vault.ts';

const BOB = '@bob:hs';
const STEP_MS = 30_000;
const refused = { accepted: false };
const accepted = expect.objectContaining({ accepted: true });

let storage: Storage;
let clock: ManualClock;
let factor: TotpFactor;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
  factor = new TotpFactor(parts(), totpSettings);
});

afterEach(() => storage.close());

function verify(userId: string, token: string) {
  return judge(storage, factor, { userId, token, network: '192.0.2.1' });
}

function parts() {
  return { store: storage.factors, vault: testVault(), clock, random: systemRandom };
}

describe('judging a code', () => {
  test('a right code is accepted, and says which authenticator it was of', async () => {
    const { seed, authenticatorId } = await enrol(parts(), BOB);
    expect(await verify(BOB, codeAt(seed, clock.now()))).toEqual({
      accepted: true,
      detail: { authenticator: authenticatorId },
    });
  });

  test('the seed does not stay in memory, whether the code was right or wrong', async () => {
    const opened: Buffer[] = [];
    const vault = testVault();
    const watched = Object.assign(Object.create(vault) as typeof vault, {
      open: (sealed: Buffer, identity: string) => {
        const seed = vault.open(sealed, identity);
        opened.push(seed);
        return seed;
      },
    });
    factor = new TotpFactor({ ...parts(), vault: watched }, totpSettings);
    const { seed } = await enrol(parts(), BOB);
    expect(await verify(BOB, wrongCode(seed, clock.now()))).toEqual(refused);
    expect(await verify(BOB, codeAt(seed, clock.now()))).toEqual(accepted);
    expect(opened.length).toBe(2);
    expect(opened.every((each) => each.length > 0 && each.every((byte) => byte === 0))).toBe(true);
  });

  test('any authenticator of the user will do, each with its own steps', async () => {
    const phone = await enrol(parts(), BOB);
    const tablet = await enrol(parts(), BOB);
    for (const { seed, authenticatorId } of [tablet, phone]) {
      expect(await verify(BOB, codeAt(seed, clock.now()))).toMatchObject({
        detail: { authenticator: authenticatorId },
      });
    }
  });

  test('attack 53: the same code is accepted once, then and later', async () => {
    const { seed } = await enrol(parts(), BOB);
    const code = codeAt(seed, clock.now());
    expect(await verify(BOB, code)).toEqual(accepted);
    expect(await verify(BOB, code)).toEqual(refused);
    clock.advance(STEP_MS);
    expect(await verify(BOB, code)).toEqual(refused);
  });

  test('attack 53: of 50 at the same moment one is accepted', async () => {
    const { seed } = await enrol(parts(), BOB);
    const code = codeAt(seed, clock.now());
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => verify(BOB, code)));
    expect(verdicts.filter((verdict) => verdict.accepted)).toHaveLength(1);
  });

  test('attack 54: an older step than the last used one is refused, a newer one accepted', async () => {
    const { seed } = await enrol(parts(), BOB);
    const [older, present, newer] = [-1, 0, 1].map((steps) => codeAt(seed, clock.now(), steps));
    expect(await verify(BOB, present ?? '')).toEqual(accepted);
    expect(await verify(BOB, older ?? '')).toEqual(refused);
    expect(await verify(BOB, newer ?? '')).toEqual(accepted);
  });

  test('attack 75: step t, then t+1, then t again is refused', async () => {
    const { seed } = await enrol(parts(), BOB);
    const t = codeAt(seed, clock.now());
    expect(await verify(BOB, t)).toEqual(accepted);
    clock.advance(STEP_MS);
    expect(await verify(BOB, codeAt(seed, clock.now()))).toEqual(accepted);
    expect(await verify(BOB, t)).toEqual(refused);
  });

  test('attack 76: the step that confirmed the enrolment is spent', async () => {
    const step = Math.floor(clock.now() / STEP_MS);
    const { seed } = await enrol(parts(), BOB, { step });
    expect(await verify(BOB, codeAt(seed, clock.now()))).toEqual(refused);
    const second = await enrol(parts(), BOB, { step });
    expect(await verify(BOB, codeAt(second.seed, clock.now()))).toEqual(refused);
    clock.advance(STEP_MS);
    expect(await verify(BOB, codeAt(second.seed, clock.now()))).toEqual(accepted);
  });

  test('attack 62: a clock that jumps back brings no code back', async () => {
    const { seed } = await enrol(parts(), BOB);
    const codes = [0, 1].map((steps) => codeAt(seed, clock.now(), steps));
    expect(await verify(BOB, codes[0] ?? '')).toEqual(accepted);
    clock.advance(STEP_MS);
    expect(await verify(BOB, codes[1] ?? '')).toEqual(accepted);
    clock.advance(-STEP_MS);
    for (const code of codes) expect(await verify(BOB, code)).toEqual(refused);
    clock.advance(-3_600_000);
    expect(await verify(BOB, codeAt(seed, clock.now()))).toEqual(refused);
  });

  test('attack 87: wrong, spent, malformed and of nobody: the same verdict', async () => {
    const { seed } = await enrol(parts(), BOB);
    const code = codeAt(seed, clock.now());
    await verify(BOB, code);
    const verdicts = [
      await verify(BOB, wrongCode(seed, clock.now())),
      await verify(BOB, code),
      await verify(BOB, 'abcdef'),
      await verify('@nobody:hs', code),
    ];
    expect(verdicts).toEqual(Array(4).fill(refused));
  });

  test('looking at a code spends nothing, and says to us what is wrong with it', async () => {
    const { seed } = await enrol(parts(), BOB);
    const look = (token: string) => factor.verify(...attempt({ userId: BOB, token, network: '192.0.2.1' }));
    const code = codeAt(seed, clock.now());
    expect(await look(code)).toMatchObject({ is: 'match' });
    expect(await verify(BOB, code)).toEqual(accepted);
    expect(await look(code)).toEqual({ is: 'no_match', why: 'spent' });
    expect(await look(wrongCode(seed, clock.now()))).toEqual({ is: 'no_match', why: 'wrong' });
    expect(await look('abcdef')).toEqual({ is: 'no_match', why: 'malformed' });
  });

  test.each([`@bob.:hs`, '@Bob:hs', '@bob:other', ' @bob:hs', '@bob:hs '])(
    'attack 93: a code of @bob:hs does not serve the look-alike "%s"',
    async (lookAlike) => {
      const { seed } = await enrol(parts(), BOB);
      await enrol(parts(), lookAlike);
      const code = codeAt(seed, clock.now());
      expect(await verify(lookAlike, code)).toEqual(refused);
      expect(await verify(BOB, code)).toEqual(accepted);
    },
  );

  test.each([123456, ['123456'], null, { toString: () => '123456' }])(
    'attack 58: %j instead of a text is refused, not thrown at',
    async (token) => {
      await enrol(parts(), BOB);
      expect(await verify(BOB, token as unknown as string)).toEqual(refused);
    },
  );
});

test('the factor is there for those who enrolled', async () => {
  await enrol(parts(), BOB);
  expect(await factor.available(BOB, await requireEnrolled(storage.factors, BOB))).toBe(true);
  const withPasskeyOnly = { version: 1, kinds: ['webauthn'], codesLeft: 3, hasEmergencyCode: false };
  expect(await factor.available('@alice:hs', withPasskeyOnly)).toBe(false);
});

test('the state lists authenticators and when they were used, and no seed', async () => {
  const { seed, authenticatorId } = await enrol(parts(), BOB);
  const enabledAt = clock.now();
  clock.advance(STEP_MS);
  await verify(BOB, codeAt(seed, clock.now()));
  expect(await factor.describe(BOB)).toEqual({
    authenticators: [
      { id: authenticatorId, name: 'phone', enabled_at: enabledAt, last_used_at: clock.now() },
    ],
  });
  expect(await factor.describe('@alice:hs')).toBeUndefined();
});
