import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  type Values,
} from '../statement.ts';

/** Where a request stands. `refused`: it was not opened, as a device of the user was used meanwhile. */
export type RecoveryState = 'waiting' | 'open' | 'cancelled' | 'refused' | 'finished' | 'expired';

/** How a request ended before it was made use of. */
export type RecoveryEnding =
  | 'link'
  | 'code_page'
  | 'sign_in'
  | 'voter'
  | 'operator'
  | 'session_use'
  | 'restore'
  | 'reset'
  | 'turned_off';

/** A request to recover an account. Times are ms since the epoch, by the database's clock. */
export interface RecoveryRequest {
  readonly id: string;
  readonly userId: string;
  readonly state: RecoveryState;
  readonly begunAt: number;
  /** How long its clock has to run, how long it has run, and up to when that was counted. */
  readonly waitMs: number;
  readonly countedMs: number;
  readonly countedAt: number;
  /** As its owner had set them when it was begun; null: the time zone of the server. */
  readonly timeZone: string | null;
  /** As JSON. */
  readonly absences: string;
  /** 1 where a recovery code was given along. */
  readonly vouched: number;
  readonly toldAt: number;
  readonly toldSoonAt: number | null;
  /** When the operators were told that a device was used meanwhile. */
  readonly useToldAt: number | null;
  /** The address that it was begun from; null some time after its end. */
  readonly begunFrom: string | null;
  readonly openedAt: number | null;
  /** When it ends if it was not finished, once it is open. */
  readonly closesAt: number | null;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly endedWho: string | null;
  readonly reason: string | null;
}

/** The hash of a claim code, as that of a recovery code. */
export interface ClaimHash {
  readonly salt: Buffer;
  readonly pepperKeyId: string;
  readonly hash: string;
  readonly tag: number;
}

/** A request that may be begun. */
export interface NewRecoveryRequest {
  readonly id: string;
  readonly userId: string;
  readonly claim: ClaimHash;
  readonly begunFrom: string;
  readonly timeZone: string | null;
  readonly absences: string;
  /** As it is set, and how long it may become at most. */
  readonly waitMs: number;
  readonly longestMs: number;
}

/** How many are begun within this time at most: each notifies all recipients. */
const MOST_BEGUN = 3;
const BEGUN_WITHIN_MS = 30 * 24 * 3_600_000;
/** After a request that ended in one of these ways the next one waits twice as long. */
const DOUBLING = "('link', 'voter', 'operator')";
const BEGUN =
  'SELECT count(*) FROM recovery_requests WHERE user_id = :userId AND begun_at > :now - :withinMs';
const HAS_FACTOR = 'EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :userId)';
/** In SQL: it waits or is open. */
export const RUNS = "state IN ('waiting', 'open')";

const READ = `id, user_id AS "userId", state, begun_at AS "begunAt", wait_ms AS "waitMs", counted_ms AS "countedMs",
  counted_at AS "countedAt", time_zone AS "timeZone", absences, vouched, told_at AS "toldAt", told_soon_at AS "toldSoonAt",
  use_told_at AS "useToldAt", begun_from AS "begunFrom",
  opened_at AS "openedAt", closes_at AS "closesAt", ended_at AS "endedAt", ended_by AS "endedBy", ended_who AS "endedWho",
  reason`;

/**
 * Begins a request; in a unit that names the user. Lost where one of the user runs, too many were begun, or the user has no
 * factor. The wait is twice that of the one before where that was cancelled by someone whom it told, or by the operator.
 */
export function beginRecovery({ claim, ...request }: NewRecoveryRequest): Decision<RecoveryRequest> {
  return decide(
    bothDialects(
      (words) =>
        `INSERT INTO recovery_requests (id, user_id, state, begun_at, wait_ms, counted_at, time_zone, absences, vouched,
           salt, pepper_key_id, claim_hash, claim_tag, told_at, begun_from)
         SELECT :id, :userId, 'waiting', :now,
           ${nextWait(words)},
           :now, CAST(:timeZone AS TEXT), :absences, 0, :salt, :pepperKeyId, :hash, :tag, :now, :begunFrom
         WHERE (${BEGUN}) < :mostBegun AND ${HAS_FACTOR}
         ON CONFLICT DO NOTHING RETURNING ${READ}`,
    ),
    { ...request, ...claim, withinMs: BEGUN_WITHIN_MS, mostBegun: MOST_BEGUN },
  );
}

/** How long a request would wait that is begun now; none where too many were begun. */
export function findNextWait(
  userId: string,
  waits: Pick<NewRecoveryRequest, 'waitMs' | 'longestMs'>,
): Query<{ readonly waitMs: number }> {
  return ask(
    bothDialects(
      (words) => `SELECT CAST(${nextWait(words)} AS BIGINT) AS "waitMs" WHERE (${BEGUN}) < :mostBegun`,
    ),
    { userId, ...waits, withinMs: BEGUN_WITHIN_MS, mostBegun: MOST_BEGUN },
  );
}

function before(column: string): string {
  return `(SELECT ${column} FROM recovery_requests WHERE user_id = :userId ORDER BY begun_at DESC, rowid DESC LIMIT 1)`;
}

function nextWait({ least, greatest }: Parameters<Parameters<typeof bothDialects>[0]>[0]): string {
  return `CASE WHEN ${before('ended_by')} IN ${DOUBLING}
    THEN ${least}(:longestMs, 2 * ${greatest}(:waitMs, ${before('wait_ms')})) ELSE :waitMs END`;
}

/** The wait of a request becomes so long, where it is longer now. Votes do it, and a recovery code that was given along. */
export function shortenRecovery(id: string, waitMs: number): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET wait_ms = :waitMs WHERE id = :id AND ${RUNS} AND wait_ms > :waitMs`,
    {
      id,
      waitMs,
    },
  );
}

export function markVouched(id: string): Effect {
  return effect('UPDATE recovery_requests SET vouched = 1 WHERE id = :id', { id });
}

/** What an owner has set for the clock of their requests; none where they have set nothing. */
export function findRecoverySettings(
  userId: string,
): Query<{ readonly timeZone: string | null; readonly absences: string }> {
  return ask('SELECT time_zone AS "timeZone", absences FROM recovery_contacts WHERE user_id = :userId', {
    userId,
  });
}

/** A request with the database's time. */
export type SeenRecovery = RecoveryRequest & { readonly now: number };

/** Requests by a condition in SQL, of our own words only. */
export function findRecoveries(condition: string, values: Values): Query<SeenRecovery> {
  return ask(`SELECT ${READ}, CAST(:now AS BIGINT) AS now FROM recovery_requests WHERE ${condition}`, values);
}

export function findRecovery(id: string): Query<SeenRecovery> {
  return findRecoveries('id = :id', { id });
}

/** The request of a user that runs; there is one at most. */
export function findRunningRecovery(userId: string): Query<SeenRecovery> {
  return findRecoveries(`user_id = :userId AND ${RUNS}`, { userId });
}

/** The newest request of a user, whatever became of it. */
export function findLastRecovery(userId: string): Query<SeenRecovery> {
  return findRecoveries('user_id = :userId ORDER BY begun_at DESC, rowid DESC LIMIT 1', { userId });
}

/** All requests of a user, the newest first. */
export function listRecoveriesOf(userId: string): Query<SeenRecovery> {
  return findRecoveries('user_id = :userId ORDER BY begun_at DESC, rowid DESC', { userId });
}

/** The newest first. @param running only those that run */
export function listRecoveries(running: boolean, limit: number): Query<SeenRecovery> {
  return findRecoveries(`${running ? RUNS : '1 = 1'} ORDER BY begun_at DESC, rowid DESC LIMIT :limit`, {
    limit,
  });
}

/** All that run. */
export function listAllRunning(): Query<SeenRecovery> {
  return findRecoveries(`${RUNS} ORDER BY id`, {});
}

/** What a claim code is compared with, while its request is open. */
export function findClaim(userId: string): Query<ClaimHash & { readonly id: string }> {
  return ask(
    `SELECT id, salt, pepper_key_id AS "pepperKeyId", claim_hash AS hash, claim_tag AS tag FROM recovery_requests
     WHERE user_id = :userId AND state = 'open' AND closes_at > :now`,
    { userId },
  );
}

/** Opens a request that waits, as the operator decides, whatever was counted. Lost if it does not wait any more. */
export function approveRecovery(id: string, windowMs: number): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET state = 'open', opened_at = :now, closes_at = :now + :windowMs
     WHERE id = :id AND state = 'waiting'`,
    { id, windowMs },
  );
}

/** How a request ends before it was made use of. */
export interface RecoveryEnd {
  readonly state: 'cancelled' | 'refused';
  readonly by: RecoveryEnding;
  readonly who: string | null;
  readonly reason: string | null;
}

/** Lost if it does not run any more. */
export function endRecovery(id: string, { state, by, who, reason }: RecoveryEnd): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET state = :state, ended_at = :now, ended_by = :by, ended_who = CAST(:who AS TEXT),
       reason = CAST(:reason AS TEXT)
     WHERE id = :id AND ${RUNS}`,
    { id, state, by, who, reason },
  );
}

/** It is made use of: in the unit whose deciding write has made sure that it is open. */
export function finishRecovery(id: string): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET state = 'finished', ended_at = :now WHERE id = :id AND state = 'open' AND closes_at > :now",
    { id },
  );
}
