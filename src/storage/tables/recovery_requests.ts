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

/** By which way a request ended before it was made use of. */
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
  /** How long its clock has to run, how long it has, and up to when that was counted. */
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
  readonly timeZone: string | null;
  readonly absences: string;
  /** As it is set, and how long it may become at most. */
  readonly waitMs: number;
  readonly longestMs: number;
}

/** So many are begun in so long at most: each tells everybody. */
const MOST_BEGUN = 3;
const BEGUN_WITHIN_MS = 30 * 24 * 3_600_000;
/** After one that ended so the next waits twice as long. */
const DOUBLING = "('link', 'voter', 'operator')";
const BEGUN =
  'SELECT count(*) FROM recovery_requests WHERE user_id = :userId AND begun_at > :now - :withinMs';
const HAS_FACTOR = 'EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :userId)';
const RUNS = "state IN ('waiting', 'open')";

const READ = `id, user_id AS "userId", state, begun_at AS "begunAt", wait_ms AS "waitMs", counted_ms AS "countedMs",
  counted_at AS "countedAt", time_zone AS "timeZone", absences, vouched, told_at AS "toldAt", told_soon_at AS "toldSoonAt",
  opened_at AS "openedAt", closes_at AS "closesAt", ended_at AS "endedAt", ended_by AS "endedBy", ended_who AS "endedWho",
  reason`;

/**
 * Begins a request. Lost where one of the user runs, too many were begun, or there is no factor to be without; in a unit that names the user. The wait is
 * twice that of the one before where that was cancelled by someone whom it told, or by the operator.
 */
export function beginRecovery({ claim, ...request }: NewRecoveryRequest): Decision<RecoveryRequest> {
  return decide(
    bothDialects(
      (words) =>
        `INSERT INTO recovery_requests (id, user_id, state, begun_at, wait_ms, counted_at, time_zone, absences, vouched,
           salt, pepper_key_id, claim_hash, claim_tag, told_at)
         SELECT :id, :userId, 'waiting', :now,
           ${nextWait(words)},
           :now, CAST(:timeZone AS TEXT), :absences, 0, :salt, :pepperKeyId, :hash, :tag, :now
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

function find(condition: string, values: Values): Query<SeenRecovery> {
  return ask(`SELECT ${READ}, CAST(:now AS BIGINT) AS now FROM recovery_requests WHERE ${condition}`, values);
}

export function findRecovery(id: string): Query<SeenRecovery> {
  return find('id = :id', { id });
}

/** The request of a user that runs; there is one at most. */
export function findRunningRecovery(userId: string): Query<SeenRecovery> {
  return find(`user_id = :userId AND ${RUNS}`, { userId });
}

/** The newest request of a user, whatever became of it. */
export function findLastRecovery(userId: string): Query<SeenRecovery> {
  return find('user_id = :userId ORDER BY begun_at DESC, rowid DESC LIMIT 1', { userId });
}

/** All requests of a user, the newest first. */
export function listRecoveriesOf(userId: string): Query<SeenRecovery> {
  return find('user_id = :userId ORDER BY begun_at DESC, rowid DESC', { userId });
}

/** The newest first. @param running only those that run */
export function listRecoveries(running: boolean, limit: number): Query<SeenRecovery> {
  return find(`${running ? RUNS : '1 = 1'} ORDER BY begun_at DESC, rowid DESC LIMIT :limit`, { limit });
}

/** All that run. */
export function listAllRunning(): Query<SeenRecovery> {
  return find(`${RUNS} ORDER BY id`, {});
}

/** The next of those that run, by id. */
export function nextRunning(afterId: string, limit: number): Query<SeenRecovery> {
  return find(`id > :afterId AND ${RUNS} ORDER BY id LIMIT :limit`, { afterId, limit });
}

/** Those that run though their users have no second factor any more. */
export function listPointless(): Query<SeenRecovery> {
  return find(
    `${RUNS} AND NOT EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = recovery_requests.user_id)`,
    {},
  );
}

/** What a claim code is compared with, while its request is open. */
export function findClaim(userId: string): Query<ClaimHash & { readonly id: string }> {
  return ask(
    `SELECT id, salt, pepper_key_id AS "pepperKeyId", claim_hash AS hash, claim_tag AS tag FROM recovery_requests
     WHERE user_id = :userId AND state = 'open' AND closes_at > :now`,
    { userId },
  );
}

type Seen = Pick<RecoveryRequest, 'id' | 'countedMs' | 'countedAt' | 'toldAt'>;

/**
 * Counts so much time. Lost if another process has counted since it was read, or it does not wait any more: what two
 * processes see of the same time is counted once.
 */
export function countTime({ id, countedMs, countedAt }: Seen, stepMs: number): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET counted_ms = counted_ms + :stepMs, counted_at = :now
     WHERE id = :id AND state = 'waiting' AND counted_ms = :countedMs AND counted_at = :countedAt`,
    { id, countedMs, countedAt, stepMs },
  );
}

/** It can be finished from now on, for so long. Lost unless its time is counted. */
export function openRecovery(id: string, windowMs: number): Decision<object> {
  return decide(
    `UPDATE recovery_requests SET state = 'open', opened_at = :now, closes_at = :now + :windowMs
     WHERE id = :id AND state = 'waiting' AND counted_ms >= wait_ms`,
    { id, windowMs },
  );
}

/** The same by the operator's word, whatever was counted. */
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

/** It was not finished in time. */
export function expireRecovery(id: string): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET state = 'expired', ended_at = :now WHERE id = :id AND state = 'open' AND closes_at <= :now",
    { id },
  );
}

/** It is made use of: in the unit whose deciding write has made sure that it is open. */
export function finishRecovery(id: string): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET state = 'finished', ended_at = :now WHERE id = :id AND state = 'open' AND closes_at > :now",
    { id },
  );
}

/** All are told again that it runs: won once each time. */
export function takeRepeated({ id, toldAt }: Seen): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET told_at = :now WHERE id = :id AND state = 'waiting' AND told_at = :toldAt",
    { id, toldAt },
  );
}

/** All are told that it opens soon: won once. */
export function takeToldSoon(id: string): Decision<object> {
  return decide(
    "UPDATE recovery_requests SET told_soon_at = :now, told_at = :now WHERE id = :id AND state = 'waiting' AND told_soon_at IS NULL",
    { id },
  );
}

/** Requests that ended so long ago count for nothing any more. */
export function dropOldRecoveries(keptMs: number): readonly Effect[] {
  const old = 'SELECT id FROM recovery_requests WHERE ended_at <= :now - :keptMs';
  return [
    effect(`DELETE FROM recovery_votes WHERE request_id IN (${old})`, { keptMs }),
    effect(`DELETE FROM recovery_notices WHERE request_id IN (${old})`, { keptMs }),
    effect('DELETE FROM recovery_requests WHERE ended_at <= :now - :keptMs', { keptMs }),
  ];
}
