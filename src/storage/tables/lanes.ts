import { dropSome } from '../dropping.ts';
import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  type Sql,
  type Values,
} from '../statement.ts';

/** How wrong codes of a lane are counted. Times in ms. */
export interface LaneRules {
  /** So many failures in a row cost nothing; the last of them starts the first wait. */
  readonly freeFailures: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** With so many failures in a row nothing is looked at any more. */
  readonly shutAt: number;
  /** Wrong codes that are there at once, and the time in which one comes back. */
  readonly budget: number;
  readonly budgetMs: number;
}

/** A lane as an operator sees it. */
export interface LaneRow {
  readonly lane: string;
  readonly failures: number;
  readonly waitUntil: number;
  readonly budget: number;
}

/** Why a lane admits no code now. */
export interface LaneStanding {
  readonly failures: number;
  /** Until its wait ends; below 0 if there is none. */
  readonly waitMs: number;
  /** Until its budget pays for a code; below 0 if it does now. */
  readonly budgetMs: number;
}

export interface Words {
  readonly least: string;
  readonly greatest: string;
}

/** A code is compared with each authenticator of the user, and costs as many wrong codes. */
const price = ({ greatest }: Words) =>
  `(SELECT ${greatest}(1, count(*)) FROM authenticators WHERE user_id = :userId)`;

/** Parts of a wrong code do not add up exactly: after the time that was told the budget pays. */
const ROUNDING = 0.000001;

/** What has come back by now. A time in the future, written while a clock was wrong, is now. */
const level = ({ least, greatest }: Words) =>
  `${least}(:budget, lanes.budget + ${greatest}(0, :now - lanes.budget_at) * :perMs)`;

/** The end of the wait that begins with the failure that is counted: twice as long each time. */
const nextWait = ({ least }: Words) =>
  `CASE WHEN lanes.failures + 1 < :freeFailures THEN 0 ELSE :now + ${least}(:longestWaitMs,
     :firstWaitMs * (1 << CAST(${least}(lanes.failures + 1 - :freeFailures, 10) AS INTEGER))) END`;

/**
 * Counts an attempt in a lane as failed, unless the lane is in a wait, shut, or out of budget: then it is lost. What
 * follows in its unit takes it back where the code is right.
 */
export function countAttempt(
  userId: string,
  lane: string,
  rules: LaneRules,
): Decision<{ readonly failures: number }> {
  const sql: Sql = bothDialects(
    (words) =>
      `INSERT INTO lanes (user_id, lane, failures, wait_until, budget, budget_at)
       VALUES (:userId, :lane, 1, 0, :budget - ${price(words)}, :now)
       ON CONFLICT (user_id, lane) DO UPDATE
         SET failures = lanes.failures + 1, wait_until = ${nextWait(words)},
           budget = ${level(words)} - ${price(words)}, budget_at = :now
         WHERE lanes.wait_until <= :now AND lanes.failures < :shutAt
           AND ${level(words)} + ${ROUNDING} >= ${price(words)}
       RETURNING failures`,
  );
  return decide(sql, { userId, lane, ...numbers(rules) });
}

/** In SQL, with the values of `laneValues`: that a lane admits no attempt now, as `countAttempt` says. */
export function refusesIn(words: Words): string {
  return `EXISTS (SELECT 1 FROM lanes WHERE user_id = :userId AND lane = :lane
    AND NOT (wait_until <= :now AND failures < :shutAt AND ${level(words)} + ${ROUNDING} >= ${price(words)}))`;
}

export function laneValues(userId: string, lane: string, { shutAt, budget, budgetMs }: LaneRules): Values {
  return { userId, lane, shutAt, budget, perMs: 1 / budgetMs };
}

/** A wait that ends further ahead than any can be was written while a clock was wrong: it is the longest from now. */
export function clampWait(userId: string, lane: string, { longestWaitMs }: LaneRules): Effect {
  return effect(
    `UPDATE lanes SET wait_until = :now + :longestWaitMs
     WHERE user_id = :userId AND lane = :lane AND wait_until > :now + :longestWaitMs`,
    { userId, lane, longestWaitMs },
  );
}

/** Takes back what `countAttempt` counted: its code was right. The rest of the budget stays as it is. */
export function takeAttemptBack(userId: string, lane: string, rules: LaneRules): Effect {
  return effect(
    bothDialects(
      (words) =>
        `UPDATE lanes SET failures = 0, wait_until = 0, budget = ${words.least}(:budget, budget + ${price(words)})
         WHERE user_id = :userId AND lane = :lane`,
    ),
    { userId, lane, budget: rules.budget },
  );
}

/** Drops a lane that says nothing any more, as nothing was counted in it for long enough. */
export function dropFullLane(userId: string, lane: string, { budget, budgetMs }: LaneRules): Effect {
  return effect(
    bothDialects(
      (words) =>
        `DELETE FROM lanes WHERE user_id = :userId AND lane = :lane AND failures = 0 AND ${level(words)} >= :budget`,
    ),
    { userId, lane, budget, perMs: 1 / budgetMs },
  );
}

/** Ends the wait of the lane by which an accepted code of another kind came. */
export function endWait(userId: string, lane: string): Effect {
  return effect('UPDATE lanes SET failures = 0, wait_until = 0 WHERE user_id = :userId AND lane = :lane', {
    userId,
    lane,
  });
}

/** Opens the shut lanes of a user who has passed a factor by another way. */
export function openShutLanes(userId: string, { shutAt }: LaneRules): Effect {
  return effect(
    'UPDATE lanes SET failures = 0, wait_until = 0 WHERE user_id = :userId AND failures >= :shutAt',
    { userId, shutAt },
  );
}

/** Won where the lane is shut. */
export function findShut(userId: string, lane: string, { shutAt }: LaneRules): Decision<object> {
  return decide(
    'SELECT failures FROM lanes WHERE user_id = :userId AND lane = :lane AND failures >= :shutAt',
    { userId, lane, shutAt },
  );
}

/** Why `countAttempt` was lost. */
export function laneStanding(userId: string, lane: string, rules: LaneRules): Query<LaneStanding> {
  return ask(
    bothDialects(
      (words) =>
        `SELECT failures, wait_until - :now AS "waitMs", (${price(words)} - ${level(words)}) / :perMs AS "budgetMs"
         FROM lanes WHERE user_id = :userId AND lane = :lane`,
    ),
    { userId, lane, perMs: 1 / rules.budgetMs, budget: rules.budget },
  );
}

export function lanesOf(userId: string): Query<LaneRow> {
  return ask(
    `SELECT lane, failures, wait_until AS "waitUntil", budget FROM lanes WHERE user_id = :userId ORDER BY lane`,
    { userId },
  );
}

/** Forgets all that was counted against a user. */
export function clearLanes(userId: string): Effect {
  return effect('DELETE FROM lanes WHERE user_id = :userId', { userId });
}

/** The same for a user who has no authenticator left. */
export function clearLanesWithoutFactor(userId: string): Effect {
  return effect(
    `DELETE FROM lanes WHERE user_id = :userId
       AND NOT EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :userId)`,
    { userId },
  );
}

/** Drops lanes without an attempt for `idleMs`, in which any budget has come back. */
export function dropIdleLanes(idleMs: number): Effect {
  return dropSome('lanes', 'budget_at <= :now - :idleMs', { idleMs });
}

function numbers({ budgetMs, ...rest }: LaneRules) {
  return { ...rest, perMs: 1 / budgetMs };
}
