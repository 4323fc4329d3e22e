import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../../src/storage/stores.ts';
import { HOUR, SECOND } from '../../src/system/clock.ts';
import { type Attempt, Throttle } from '../../src/throttle/throttle.ts';
import { ManualClock } from '../support/manual_clock.ts';

const login: Attempt = { userId: '@bob:hs', counter: 'login', shuts: true };
const recovery: Attempt = { userId: '@bob:hs', counter: 'recovery', shuts: false };

let storage: Storage;
let clock: ManualClock;
let throttle: Throttle;

beforeEach(async () => {
  clock = new ManualClock();
  storage = await openSqliteStorage({ path: ':memory:', clock });
  throttle = new Throttle(storage.throttle, clock);
});

afterEach(() => storage.close());

async function fail(attempt: Attempt, times: number): Promise<void> {
  for (let failure = 0; failure < times; failure++) await throttle.gate(attempt).admit();
}

/** Fails `times` times, sitting out every wait. */
async function failPatiently(attempt: Attempt, times: number): Promise<void> {
  for (let failure = 0; failure < times; failure++) {
    await throttle.gate(attempt).admit();
    clock.advance(HOUR);
  }
}

test('four failures cost nothing, the fifth 30 s, each further one twice as much, up to an hour', async () => {
  const waits: number[] = [];
  for (let failures = 1; failures < 100; failures++) {
    await throttle.gate(login).admit();
    const [state] = await storage.throttle.states(login.userId);
    const waitMs = (state?.waitUntil ?? 0) - clock.now();
    waits.push(waitMs / SECOND);
    clock.advance(waitMs);
  }
  expect(waits.slice(0, 13)).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
  expect(waits.at(-1)).toBe(3600);
});

describe('waiting', () => {
  test('attack 55: the sixth attempt has to wait, and is told how long', async () => {
    await fail(login, 5);
    await expect(throttle.gate(login).admit()).rejects.toMatchObject({
      refusal: 'limit_exceeded',
      status: 429,
      errcode: 'M_LIMIT_EXCEEDED',
      retryAfterMs: 30 * SECOND,
    });
    clock.advance(10 * SECOND);
    await expect(throttle.gate(login).admit()).rejects.toMatchObject({ retryAfterMs: 20 * SECOND });
    clock.advance(20 * SECOND);
    await throttle.gate(login).admit();
    await expect(throttle.gate(login).admit()).rejects.toMatchObject({ retryAfterMs: 60 * SECOND });
  });

  test('attempts during a wait do not prolong it', async () => {
    await fail(login, 5);
    for (let attempt = 0; attempt < 10; attempt++)
      await expect(throttle.gate(login).admit()).rejects.toThrow();
    clock.advance(30 * SECOND);
    await expect(throttle.gate(login).admit()).resolves.toBeUndefined();
  });

  test('attack 56: each counter and each user waits for itself', async () => {
    await fail(login, 5);
    await throttle.gate(recovery).admit();
    await throttle.gate({ ...login, counter: 'session', shuts: false }).admit();
    await throttle.gate({ ...login, userId: '@alice:hs' }).admit();
    await expect(throttle.gate(login).admit()).rejects.toMatchObject({ refusal: 'limit_exceeded' });
  });

  test('clearing clears all counters of that user, and of no other', async () => {
    await fail(login, 5);
    await fail(recovery, 5);
    await fail({ ...login, userId: '@alice:hs' }, 5);
    await throttle.clear('@bob:hs');
    await fail(login, 5);
    await fail(recovery, 5);
    await expect(throttle.gate({ ...login, userId: '@alice:hs' }).admit()).rejects.toThrow();
  });
});

describe('shutting', () => {
  test('attack 79: after 100 failures in a row the stage is shut, however long one waits', async () => {
    await failPatiently(login, 100);
    for (const wait of [0, HOUR, 1000 * HOUR]) {
      clock.advance(wait);
      await expect(throttle.gate(login).admit()).rejects.toMatchObject({
        refusal: 'totp_shut',
        status: 429,
        retryAfterMs: HOUR,
      });
    }
    await throttle.clear('@bob:hs');
    await expect(throttle.gate(login).admit()).resolves.toBeUndefined();
  });

  test('99 do not shut it', async () => {
    await failPatiently(login, 99);
    await expect(throttle.gate(login).admit()).resolves.toBeUndefined();
  });

  test('recovery codes are never shut: they are the way out', async () => {
    await failPatiently(recovery, 150);
    await expect(throttle.gate(recovery).admit()).resolves.toBeUndefined();
  });
});
