import { HOUR } from '../../system/clock.ts';
import { dropSome } from '../dropping.ts';
import { ask, bothDialects, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** How an allowance comes back, as in Synapse's `rc_*` settings. */
export interface AllowanceRate {
  /** Above 0. */
  readonly perSecond: number;
  /** How many at once; at least 1. */
  readonly burstCount: number;
}

/** A time so far ahead, in ms, was written while the clock was wrong. */
const CLOCK_WAS_WRONG_MS = HOUR;

/** The level now. Two processes' clocks may differ a little: a time just ahead counts as now. */
const level = ({ least, greatest }: { readonly least: string; readonly greatest: string }) =>
  `CASE WHEN allowances.at > :now + ${CLOCK_WAS_WRONG_MS} THEN :burst
    ELSE ${least}(:burst, allowances.level + ${greatest}(0, :now - allowances.at) * :perMs) END`;

/** Takes one of the logins that this user may begin. Lost if there is none. */
export function takeAllowance(userId: string, rate: AllowanceRate): Decision<object> {
  return decide(TAKE, { userId, ...numbers(rate) });
}

const TAKE = bothDialects(
  (words) =>
    `INSERT INTO allowances (user_id, level, at) VALUES (:userId, :burst - 1, :now)
     ON CONFLICT (user_id) DO UPDATE SET level = ${level(words)} - 1, at = :now
       WHERE ${level(words)} >= 1`,
);

/** How many logins this user may still begin; no row where all are left. */
export function findAllowance(userId: string, rate: AllowanceRate): Query<{ readonly level: number }> {
  return ask(
    bothDialects((words) => `SELECT ${level(words)} AS level FROM allowances WHERE user_id = :userId`),
    { userId, ...numbers(rate) },
  );
}

/** Gives one back: the login was taken by its owner. */
export function giveBackAllowance(userId: string, rate: AllowanceRate): Effect {
  return effect(GIVE_BACK, { userId, ...numbers(rate) });
}

const GIVE_BACK = bothDialects(
  (words) =>
    `UPDATE allowances SET level = ${words.least}(:burst, ${level(words)} + 1), at = :now
     WHERE user_id = :userId`,
);

/**
 * Drops rows that have stood for so long that a whole allowance has come back.
 * @param rates all that there are: the slowest counts
 */
export function dropFullAllowances(...rates: readonly AllowanceRate[]): Effect {
  const wholes = rates.map(({ perSecond, burstCount }) => (burstCount / perSecond) * 1000);
  return dropSome('allowances', 'at <= :now - :wholeMs', { wholeMs: Math.ceil(Math.max(...wholes)) });
}

function numbers({ perSecond, burstCount }: AllowanceRate) {
  return { perMs: perSecond / 1000, burst: burstCount };
}
