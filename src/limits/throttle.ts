import { Refusal } from '../matrix/refusals.ts';
import { type Write, when } from '../storage/statement.ts';
import {
  clampWait,
  countAttempt,
  dropFullLane,
  endWait,
  type LaneRules,
  type LaneStanding,
  laneStanding,
  openShutLanes,
  takeAttemptBack,
} from '../storage/tables/lanes.ts';
import { HOUR, MINUTE, SECOND } from '../system/clock.ts';
import { rememberPlaces, type Way } from './lanes.ts';

/**
 * Three of a million codes fit at any moment, and a lane judges 20 + 6·365 = 2,210 a year at most: guessing succeeds
 * with less than 0.67 % a year in a lane (spec/limits.md).
 */
export const LANE_RULES: LaneRules = {
  freeFailures: 5,
  firstWaitMs: 30 * SECOND,
  longestWaitMs: HOUR,
  shutAt: 100,
  budget: 20,
  budgetMs: 4 * HOUR,
};

/**
 * An attempt, and the lane that its failure counts in. The limit on wrong codes is durable, and shared by all sessions,
 * addresses, doors and replicas that lead into one lane.
 */
export interface Attempt extends Way {
  readonly userId: string;
  /** Whether it counts in its lane. Codes too long to be guessed do not. */
  readonly counts: boolean;
}

/**
 * Counts an attempt as failed, and does `then` if its lane admits it: what follows takes that back where the code is
 * right. Lost in a wait, out of budget, shut: `refusalIn` says why.
 */
export function counted<const Then extends Write>({ userId, lane }: Attempt, then: Then) {
  return when(countAttempt(userId, lane, LANE_RULES), {
    won: then,
    lost: [clampWait(userId, lane, LANE_RULES), laneStanding(userId, lane, LANE_RULES)],
  });
}

/** What an accepted factor brings besides: its lane is cleared, shut ones are opened, its places are known. */
export function accepted({ userId, lane, places, counts }: Attempt): readonly Write[] {
  const own = counts
    ? [takeAttemptBack(userId, lane, LANE_RULES), dropFullLane(userId, lane, LANE_RULES)]
    : [endWait(userId, lane)];
  return [...own, openShutLanes(userId, LANE_RULES), ...rememberPlaces(userId, places)];
}

/** The same of a code that was not counted, as the unit that spends it demands that its lane admits it. */
export function acceptedUncounted({ userId, lane, places, hasCounts }: Attempt): readonly Write[] {
  const lanes = hasCounts
    ? [endWait(userId, lane), openShutLanes(userId, LANE_RULES), dropFullLane(userId, lane, LANE_RULES)]
    : [];
  return [...lanes, ...rememberPlaces(userId, places)];
}

/** Whether a lane with so many failures admits nothing any more. */
export function isShut({ failures }: { readonly failures: number }): boolean {
  return failures >= LANE_RULES.shutAt;
}

/** Why a lane does not admit an attempt. */
export function refusalIn(standing: LaneStanding | undefined): Refusal {
  // A shut lane has no end of its own: clients that come again by themselves shall do so rarely.
  if (standing !== undefined && isShut(standing)) {
    return new Refusal('codes_shut', { retryAfterMs: HOUR });
  }
  const retryAfterMs = Math.max(SECOND, standing?.waitMs ?? 0, Math.round(standing?.budgetMs ?? 0));
  return new Refusal('codes_wait', {
    retryAfterMs,
    text: `Too many wrong codes. Wait ${timeInWords(retryAfterMs)}, or use a recovery code.`,
  });
}

/** A waiting time in English words, rounded up. */
export function timeInWords(ms: number): string {
  if (ms < 2 * MINUTE) return numbered(Math.ceil(ms / SECOND), 'second');
  return ms < 2 * HOUR ? numbered(Math.ceil(ms / MINUTE), 'minute') : numbered(Math.ceil(ms / HOUR), 'hour');
}

function numbered(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
