import { Refusal } from '../matrix/refusals.ts';
import type { Decision } from '../storage/statement.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/stores.ts';
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
import { HOUR, SECOND } from '../system/clock.ts';
import { rememberPlaces, type Way } from './lanes.ts';
import { timeInWords } from './time_in_words.ts';

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

/** What is tried, and by which way. */
export interface Attempt extends Way {
  readonly userId: string;
  /** Whether it counts in its lane. Codes too long to be guessed do not. */
  readonly counts: boolean;
}

/** What became of an attempt. */
export interface Taken {
  /** The code was spent by this attempt. */
  readonly accepted: boolean;
  /** This very attempt has shut its lane. */
  readonly hasShut: boolean;
}

/**
 * The limit on wrong codes: durable, and shared by all sessions, addresses, doors and replicas that lead into one
 * lane. An attempt counts as a failure before its code is spent; only an accepted factor takes that back.
 */
export class Throttle {
  constructor(private readonly storage: Pick<Storage, 'commit'>) {}

  /**
   * Counts an attempt as failed, and takes that back if `spend`, the decision that uses its code up, is won.
   * @param spend undefined if the code is wrong
   * @throws Refusal totp_waits, totp_shut: then nothing is spent
   */
  take(attempt: Attempt, spend: Decision<unknown> | undefined): Promise<Taken> {
    if (attempt.counts) return spend === undefined ? this.count(attempt) : this.countAndSpend(attempt, spend);
    return this.spendFreely(attempt, spend);
  }

  private async spendFreely(attempt: Attempt, spend: Decision<unknown> | undefined): Promise<Taken> {
    if (spend === undefined) return { accepted: false, hasShut: false };
    const { userId, lane } = attempt;
    const won = [endWait(userId, lane), ...following(attempt)];
    const outcome = await this.storage.commit([userId], when(spend, { won, lost: [] }));
    return { accepted: outcome.won, hasShut: false };
  }

  /** A code that is wrong. */
  private async count({ userId, lane }: Attempt): Promise<Taken> {
    const [, outcome] = await this.storage.commit(
      [userId],
      [
        clampWait(userId, lane, LANE_RULES),
        when(countAttempt(userId, lane, LANE_RULES), {
          won: [],
          lost: laneStanding(userId, lane, LANE_RULES),
        }),
      ],
    );
    if (!outcome.won) throw refusalIn(outcome.after[0]);
    return { accepted: false, hasShut: outcome.row.failures >= LANE_RULES.shutAt };
  }

  private async countAndSpend(attempt: Attempt, spend: Decision<unknown>): Promise<Taken> {
    const { userId, lane } = attempt;
    const accepted = [
      takeAttemptBack(userId, lane, LANE_RULES),
      dropFullLane(userId, lane, LANE_RULES),
      ...following(attempt),
    ];
    const [, outcome] = await this.storage.commit(
      [userId],
      [
        clampWait(userId, lane, LANE_RULES),
        when(countAttempt(userId, lane, LANE_RULES), {
          won: when(spend, { won: accepted, lost: [] }),
          lost: laneStanding(userId, lane, LANE_RULES),
        }),
      ],
    );
    if (!outcome.won) throw refusalIn(outcome.after[0]);
    const { row, after } = outcome;
    return { accepted: after.won, hasShut: !after.won && row.failures >= LANE_RULES.shutAt };
  }
}

/** What an accepted factor brings besides. */
function following({ userId, places }: Attempt) {
  return [openShutLanes(userId, LANE_RULES), ...rememberPlaces(userId, places).flat()];
}

function refusalIn(standing: LaneStanding | undefined): Refusal {
  // A shut lane has no end of its own: clients that come again by themselves shall do so rarely.
  if (standing !== undefined && standing.failures >= LANE_RULES.shutAt) {
    return new Refusal('totp_shut', { retryAfterMs: HOUR });
  }
  const retryAfterMs = Math.max(SECOND, standing?.waitMs ?? 0, Math.round(standing?.budgetMs ?? 0));
  return new Refusal('totp_waits', {
    retryAfterMs,
    text: `Too many wrong codes. Wait ${timeInWords(retryAfterMs)}, or use a recovery code.`,
  });
}
