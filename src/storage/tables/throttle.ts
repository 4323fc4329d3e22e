import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  when,
} from '../statement.ts';
import type {
  Admission,
  CountedAttempt,
  Driver,
  StepToSpend,
  ThrottleState,
  ThrottleStore,
} from '../stores.ts';
import { spendStep } from './authenticators.ts';

/** Doubling more often than this would overflow, and is beyond every longest wait. */
const MOST_DOUBLINGS = 20;

/** Counts a failure (R8); lost if the counter is in a wait or shut. */
function countFailure({ userId, counter, shutAt }: CountedAttempt): Decision<{ readonly failures: number }> {
  return decide(
    `INSERT INTO throttle (user_id, counter, failures, wait_until) VALUES (:userId, :counter, 1, 0)
     ON CONFLICT (user_id, counter) DO UPDATE SET failures = throttle.failures + 1
       WHERE throttle.wait_until <= :now AND throttle.failures < :shutAt
     RETURNING failures`,
    { userId, counter, shutAt: shutAt ?? Number.MAX_SAFE_INTEGER },
  );
}

/** Starts the wait that the failures in a row are worth. */
function startWait({ userId, counter, waits }: CountedAttempt): Effect {
  return effect(
    bothDialects(
      ({ least }) => `UPDATE throttle SET wait_until = :now + CASE WHEN failures < :freeFailures THEN 0
         ELSE ${least}(:longestMs, :firstMs *
           (1 << CAST(${least}(failures - :freeFailures, ${MOST_DOUBLINGS}) AS INTEGER))) END
       WHERE user_id = :userId AND counter = :counter`,
    ),
    { userId, counter, ...waits },
  );
}

/** Clears all counters of a user. */
export function clearCounters(userId: string): Effect {
  return effect('DELETE FROM throttle WHERE user_id = :userId', { userId });
}

export function findStates(userId: string): Query<ThrottleState> {
  return ask(
    `SELECT counter, failures, wait_until AS "waitUntil" FROM throttle
     WHERE user_id = :userId ORDER BY counter`,
    { userId },
  );
}

/** How long the counter lets nobody in, and how many failures it has. */
function findRefusal({ userId, counter }: CountedAttempt) {
  return ask<{ readonly waitMs: number; readonly failures: number }>(
    bothDialects(
      ({ greatest }) => `SELECT ${greatest}(0, wait_until - :now) AS "waitMs", failures FROM throttle
       WHERE user_id = :userId AND counter = :counter`,
    ),
    { userId, counter },
  );
}

function spend(userId: string, step: StepToSpend | undefined) {
  return step === undefined ? [] : [when(spendStep(userId, step), { won: clearCounters(userId), lost: [] })];
}

/** The counters of failures in a row. */
export class ThrottleTable implements ThrottleStore {
  constructor(private readonly driver: Driver) {}

  async admit(attempt: CountedAttempt, step?: StepToSpend): Promise<Admission> {
    const { userId, shutAt = Number.MAX_SAFE_INTEGER } = attempt;
    const admission = await this.driver.commit(
      [userId],
      when(countFailure(attempt), {
        won: [startWait(attempt), spend(userId, step)],
        lost: findRefusal(attempt),
      }),
    );
    if (admission.won) {
      const [, [spent]] = admission.after;
      return { admitted: true, failures: admission.row.failures, spent: spent?.won ?? false };
    }
    const [refusal] = admission.after;
    return {
      admitted: false,
      waitMs: refusal?.waitMs ?? 0,
      shut: (refusal?.failures ?? 0) >= shutAt,
    };
  }

  async clear(userId: string): Promise<void> {
    await this.driver.commit([userId], clearCounters(userId));
  }

  states(userId: string): Promise<ThrottleState[]> {
    return this.driver.read(findStates(userId));
  }
}
