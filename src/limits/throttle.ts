import type { AttemptGate } from '../factors/factor.ts';
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

/** A gate that remembers what went through it. */
export interface WatchedGate extends AttemptGate {
  readonly taken: boolean;
  /** This very attempt has shut its lane. */
  readonly hasShut: boolean;
}

/**
 * The limit on wrong codes: durable, and shared by all sessions, addresses, doors and replicas that lead into one
 * lane. An attempt counts as a failure before it is looked at; only an accepted factor takes that back.
 */
export class Throttle {
  constructor(private readonly storage: Pick<Storage, 'commit'>) {}

  /** The gate that a factor takes one attempt through. */
  gate(attempt: Attempt): WatchedGate {
    let taken = false;
    let hasShut = false;
    const spend = async <Row>(code: Decision<Row> | undefined): Promise<Row | undefined> => {
      taken = true;
      if (!attempt.counts) return code && this.spendFreely(attempt, code);
      const { failures, row } = await (code === undefined
        ? this.count(attempt)
        : this.countAndSpend(attempt, code));
      hasShut = row === undefined && failures >= LANE_RULES.shutAt;
      return row;
    };
    return {
      spend,
      get taken() {
        return taken;
      },
      get hasShut() {
        return hasShut;
      },
    };
  }

  private async spendFreely<Row>(attempt: Attempt, code: Decision<Row>): Promise<Row | undefined> {
    const { userId, lane } = attempt;
    const won = [endWait(userId, lane), ...following(attempt)];
    const outcome = await this.storage.commit([userId], when(code, { won, lost: [] }));
    return outcome.won ? outcome.row : undefined;
  }

  /** A code that is none: wrong, whatever it is. */
  private async count({ userId, lane }: Attempt): Promise<{ failures: number; row: undefined }> {
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
    return { failures: outcome.row.failures, row: undefined };
  }

  private async countAndSpend<Row>(
    attempt: Attempt,
    code: Decision<Row>,
  ): Promise<{ failures: number; row: Row | undefined }> {
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
          won: when(code, { won: accepted, lost: [] }),
          lost: laneStanding(userId, lane, LANE_RULES),
        }),
      ],
    );
    if (!outcome.won) throw refusalIn(outcome.after[0]);
    const { row, after } = outcome;
    return { failures: row.failures, row: after.won ? after.row : undefined };
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
