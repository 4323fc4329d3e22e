import { type Branch, bothDialects, type Decision, decide, type Write, when } from '../statement.ts';
import { currentVersion } from './accounts.ts';
import { endHold, type HeldLogin, IS_FREE, takeHold } from './holds.ts';
import { type LaneRules, laneValues, refusesIn } from './lanes.ts';
import type { SessionState } from './sessions.ts';

/** What a sign-in has proven, on record: a session that passed, or a login token of the page. */
export interface ProofOnRecord {
  readonly kind: 'session' | 'sign_in_token';
  /** The hash of its id. */
  readonly hash: string;
}

const ROWS = {
  session: `sessions WHERE id_hash = :hash AND version = ${currentVersion('sessions.user_id')}`,
  sign_in_token: 'sign_in_tokens WHERE token_hash = :hash',
} as const;

/**
 * Uses a proof up while its hold can be given out: won by one request, whatever others do at the same time (R8). A
 * session that was opened before its user changed factors or password proves nothing. A login token is given only by
 * such a session, for a hold that ends with each of these changes.
 */
function spend(
  { kind, hash }: ProofOnRecord,
  holdId: string,
  condition: string,
  claimant: string,
): Decision<object> {
  return decide(
    `DELETE FROM ${ROWS[kind]} AND expires_at > :now
       AND EXISTS (SELECT 1 FROM holds WHERE id = :holdId AND ${condition})`,
    condition === IS_FREE ? { hash, holdId } : { hash, holdId, claimant },
  );
}

/** The lane that has to admit the code, and by which rules. */
export interface LaneOfCode {
  readonly lane: string;
  readonly rules: LaneRules;
}

/**
 * Takes a live hold for a session in which nothing is left to prove but a code that the same unit spends: as long as
 * the session stands where the request has read it, under the version that the account still has, and the lane of the
 * code admits it.
 * @param of undefined for a code that is counted in no lane
 */
export function takeHoldByCode(
  { idHash, completed, bodyDigest }: SessionState,
  held: Pick<HeldLogin, 'id' | 'userId'>,
  of: LaneOfCode | undefined,
): Decision<object> {
  const values = { holdId: held.id, idHash, bodyDigest, completed: JSON.stringify(completed) };
  if (of === undefined) return decide(TAKE, values);
  return decide(TAKE_IN_LANE, { ...values, ...laneValues(held.userId, of.lane, of.rules) });
}

const TAKE = `DELETE FROM holds WHERE id = :holdId AND ${IS_FREE} AND EXISTS (
  SELECT 1 FROM sessions WHERE id_hash = :idHash AND hold_id = :holdId AND completed = :completed
    AND body_digest IS NOT DISTINCT FROM :bodyDigest AND sessions.expires_at > :now
    AND version = ${currentVersion('sessions.user_id')})`;
const TAKE_IN_LANE = bothDialects((words) => `${TAKE} AND NOT ${refusesIn(words)}`);

/**
 * The same for a login that is not held: nothing has to be taken, and the unit is won while the account has this version
 * and the lane of the code admits it.
 */
export function admitCode(userId: string, version: number, of: LaneOfCode | undefined): Decision<object> {
  if (of === undefined) return decide(ADMIT, { userId, version });
  return decide(ADMIT_IN_LANE, { version, ...laneValues(userId, of.lane, of.rules) });
}

const ADMIT = `SELECT 1 AS admitted WHERE ${currentVersion(':userId')} = :version`;
const ADMIT_IN_LANE = bothDialects((words) => `${ADMIT} AND NOT ${refusesIn(words)}`);

/** Gives out a held login, with everything that follows from it: in one unit, for one request. */
export function releaseHold<const Also extends readonly Write[]>(
  proof: ProofOnRecord,
  holdId: string,
  also: Also,
): Branch<object, readonly [Decision<object>, Also], readonly []> {
  return when(spend(proof, holdId, IS_FREE, ''), { won: [takeHold(holdId), also], lost: [] });
}

/** The same where another login takes the place of the held one, which its claimant ends. */
export function exchangeHold<const Also extends readonly Write[]>(
  proof: ProofOnRecord,
  holdId: string,
  claimant: string,
  also: Also,
): Branch<object, readonly [Decision<object>, Also], readonly []> {
  const decision = spend(proof, holdId, 'claimant = :claimant', claimant);
  return when(decision, { won: [endHold(holdId, claimant), also], lost: [] });
}
