import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Attempt,
  accepted,
  counted,
  isShut,
  LANE_RULES,
  refusalIn,
  timeInWords,
} from '../../src/limits/throttle.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { clearLanes } from '../../src/storage/tables/lanes.ts';
import { HOUR, SECOND } from '../../src/system/clock.ts';
import { enrol } from '../support/enrolment.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { testVault } from '../support/test_vault.ts';

const BOB = '@bob:hs';
const elsewhere: Attempt = { userId: BOB, lane: 'elsewhere', places: [], hasCounts: false, counts: true };
const recovery: Attempt = { ...elsewhere, counts: false };

let storage: Storage;
let clock: ManualClock;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
});

afterEach(() => storage.close());

/** A wrong code: whether it has shut its lane. @throws Refusal */
async function fail(attempt: Attempt): Promise<boolean> {
  const lane = await storage.commit([attempt.userId], counted(attempt, []));
  if (!lane.won) throw refusalIn(lane.after[1][0]);
  return isShut(lane.row);
}

/** A right code. @throws Refusal */
async function succeed(attempt: Attempt): Promise<void> {
  if (!attempt.counts) return void (await storage.commit([attempt.userId], accepted(attempt)));
  const lane = await storage.commit([attempt.userId], counted(attempt, accepted(attempt)));
  if (!lane.won) throw refusalIn(lane.after[1][0]);
}

async function failTimes(attempt: Attempt, times: number): Promise<void> {
  for (let failure = 0; failure < times; failure++) await fail(attempt);
}

/** How a further attempt is refused. */
async function refusalOf(attempt: Attempt): Promise<Refusal> {
  try {
    await fail(attempt);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('the attempt was let in');
}

/** Fails `times` times, each when the budget has come back. */
async function failPatiently(attempt: Attempt, times: number): Promise<void> {
  for (let failure = 0; failure < times; failure++) {
    await fail(attempt);
    clock.advance(LANE_RULES.budgetMs);
  }
}

describe('waiting', () => {
  test('attack 55: the sixth attempt has to wait, and is told how long', async () => {
    await failTimes(elsewhere, 5);
    await expect(fail(elsewhere)).rejects.toMatchObject({
      refusal: 'codes_wait',
      status: 429,
      errcode: 'M_LIMIT_EXCEEDED',
      message: 'Too many wrong codes. Wait 30 seconds, or use a recovery code.',
      retryAfterMs: 30 * SECOND,
    });
    clock.advance(10 * SECOND);
    await expect(succeed(elsewhere)).rejects.toMatchObject({ retryAfterMs: 20 * SECOND });
    clock.advance(20 * SECOND);
    await fail(elsewhere);
    await expect(fail(elsewhere)).rejects.toMatchObject({ retryAfterMs: 60 * SECOND });
  });

  test('attack 55: four failures cost nothing, the fifth 30 s, each further one twice as much, up to an hour', async () => {
    await failTimes(elsewhere, 4);
    const waits: number[] = [];
    for (let failure = 5; failure <= 14; failure++) {
      await fail(elsewhere);
      const { retryAfterMs = 0 } = await refusalOf(elsewhere);
      waits.push(retryAfterMs / SECOND);
      clock.advance(retryAfterMs);
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
  });

  test('attempts during a wait do not prolong it, and spend nothing', async () => {
    await failTimes(elsewhere, 5);
    for (let attempt = 0; attempt < 10; attempt++) await expect(succeed(elsewhere)).rejects.toThrow();
    clock.advance(30 * SECOND);
    await succeed(elsewhere);
  });

  test('attack 56: each lane and each user waits for itself', async () => {
    await failTimes(elsewhere, 5);
    await fail({ ...elsewhere, lane: 'place:home' });
    await fail({ ...elsewhere, lane: 'device:PHONE' });
    await fail({ ...elsewhere, userId: '@alice:hs' });
    await expect(fail(elsewhere)).rejects.toMatchObject({ refusal: 'codes_wait' });
    await succeed(recovery);
  });

  test('attack 144: a wait that was written while the clock was a day ahead is an hour', async () => {
    clock.advance(24 * HOUR);
    await failTimes(elsewhere, 5);
    clock.advance(-24 * HOUR);
    await expect(fail(elsewhere)).rejects.toMatchObject({ retryAfterMs: HOUR });
    clock.advance(HOUR);
    await succeed(elsewhere);
  });
});

describe('the budget', () => {
  test('attack 132: wrong codes whose waits are over take from 20 and one each four hours', async () => {
    let looked = 0;
    for (let hour = 0; hour < 24 * 10; hour++) {
      const answer = await fail(elsewhere).catch((error: unknown) => error);
      if (!(answer instanceof Refusal)) looked += 1;
      clock.advance(HOUR);
    }
    expect(looked).toBeGreaterThanOrEqual(20 + 6 * 10 - 1);
    expect(looked).toBeLessThanOrEqual(20 + 6 * 10);
  });

  test('attack 132: a success refills nothing: between owners’ daily sign-ins a thief gets no more', async () => {
    let looked = 0;
    for (let turn = 0; turn < 100; turn++) {
      for (let guess = 0; guess < 4; guess++) {
        const answer = await fail(elsewhere).catch((error: unknown) => error);
        if (!(answer instanceof Refusal)) looked += 1;
      }
      await succeed(elsewhere).catch(() => undefined);
    }
    expect(looked).toBe(20);
    const refused = await fail(elsewhere).catch((error: unknown) => error);
    expect(refused).toMatchObject({ refusal: 'codes_wait', retryAfterMs: 4 * HOUR });
    clock.advance(4 * HOUR);
    await succeed(elsewhere);
  });

  test('attack 132: the right codes of an owner cost nothing, however many', async () => {
    for (let turn = 0; turn < 100; turn++) await succeed(elsewhere);
  });

  test('attack 132: with two authenticators a wrong code costs twice as much', async () => {
    const parts = { store: storage.factors, vault: testVault(), clock };
    for (const step of [0, 1]) await enrol(parts, BOB, { step, recoveryCodes: 4 });
    let looked = 0;
    for (let turn = 0; turn < 20; turn++) {
      for (let guess = 0; guess < 4; guess++) {
        const answer = await fail(elsewhere).catch((error: unknown) => error);
        if (!(answer instanceof Refusal)) looked += 1;
      }
      await succeed(elsewhere).catch(() => undefined);
    }
    expect(looked).toBe(10);
    expect(await refusalOf(elsewhere)).toMatchObject({ retryAfterMs: 8 * HOUR });
  });

  test('attack 144: a budget that was written while the clock was ahead goes on from now', async () => {
    clock.advance(24 * HOUR);
    await failPatiently(elsewhere, 4);
    clock.advance(-25 * HOUR);
    await fail(elsewhere);
  });
});

describe('shutting', () => {
  test('attack 79: after 100 failures in a row a lane is shut, however long one waits', async () => {
    await failPatiently(elsewhere, 99);
    expect(await fail(elsewhere)).toBe(true);
    for (const wait of [0, HOUR, 1000 * HOUR]) {
      clock.advance(wait);
      await expect(succeed(elsewhere)).rejects.toMatchObject({
        refusal: 'codes_shut',
        status: 429,
        retryAfterMs: HOUR,
      });
    }
    await storage.commit([BOB], clearLanes(BOB));
    await succeed(elsewhere);
  });

  test.each([
    ['a recovery code', recovery],
    ['a code by another lane', { ...elsewhere, lane: 'place:home' }],
  ])('attack 80: %s opens it', async (_name, attempt) => {
    await failPatiently(elsewhere, 100);
    await expect(succeed(elsewhere)).rejects.toMatchObject({ refusal: 'codes_shut' });
    await succeed(attempt);
    await succeed(elsewhere);
  });

  test('99 do not shut it', async () => {
    await failPatiently(elsewhere, 99);
    await succeed(elsewhere);
  });
});

test('a time in words is never shorter than it is', () => {
  expect([1, 1000, 30_000, 119_001, 120_000, 3_600_000, 7_200_000, 14_400_000].map(timeInWords)).toEqual([
    '1 second',
    '1 second',
    '30 seconds',
    '120 seconds',
    '2 minutes',
    '60 minutes',
    '2 hours',
    '4 hours',
  ]);
});
