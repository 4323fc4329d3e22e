import { DAY } from '../../system/clock.ts';
import { changeSome, dropSome } from '../dropping.ts';
import { ask, bothDialects, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** Ended ones are shown, and known as ended, for so long. */
const ENDED_KEPT = 30 * DAY;

/** A session of an app: a login at the homeserver, and our refresh tokens. */
export interface NewOauthSession {
  /** Unguessable: its refresh tokens hold it. */
  readonly sessionId: string;
  readonly userId: string;
  readonly deviceId: string;
  readonly clientId: string;
  readonly scope: string;
  /** The hash of the homeserver's access token. */
  readonly accessHash: string;
  readonly refreshHash: string;
  /** The homeserver's tokens, sealed with the identity `oauth-session:<sessionId>:<userId>`. */
  readonly sealedTokens: Buffer;
}

/** As stored, ended or not. Times are ms since the epoch; `now` is that of the database at the look. */
export interface OauthSession extends Omit<NewOauthSession, 'sealedTokens'> {
  readonly previousAccessHash: string | null;
  readonly previousHash: string | null;
  readonly rotatedAt: number | null;
  /** Null once it has ended and is logged out. */
  readonly sealedTokens: Buffer | null;
  /** Sealed with the identity `oauth-answer:<sessionId>:<userId>`. */
  readonly sealedAnswer: Buffer | null;
  readonly leasedUntil: number;
  readonly createdAt: number;
  readonly usedAt: number;
  readonly endedAt: number | null;
  readonly endedBecause: SessionEnd | null;
  readonly now: number;
}

export type SessionEnd =
  | 'revoked'
  | 'logout'
  | 'logout_all'
  | 'password_changed'
  | 'device_deleted'
  | 'device_replaced'
  | 'homeserver'
  | 'account_page'
  | 'account_closed'
  | 'operator'
  | 'code_reused'
  | 'refresh_reused';

export interface Ending {
  readonly because: SessionEnd;
  /** Whether its login is to be logged out at the homeserver, or is dead there already. */
  readonly logout: 'due' | 'needless';
}

/** A session whose login is to be logged out. */
export interface DueLogout extends OauthSession {
  /** How often that was begun, this time included. */
  readonly attempts: number;
}

const COLUMNS = `session_id AS "sessionId", user_id AS "userId", device_id AS "deviceId", client_id AS "clientId", scope,
  access_hash AS "accessHash", previous_access_hash AS "previousAccessHash", refresh_hash AS "refreshHash",
  previous_hash AS "previousHash", rotated_at AS "rotatedAt", sealed_tokens AS "sealedTokens",
  sealed_answer AS "sealedAnswer", leased_until AS "leasedUntil", created_at AS "createdAt", used_at AS "usedAt",
  ended_at AS "endedAt", ended_because AS "endedBecause", CAST(:now AS BIGINT) AS now`;

export function keepOauthSession(session: NewOauthSession): Effect {
  return effect(
    `INSERT INTO oauth_sessions (session_id, user_id, device_id, client_id, scope, access_hash, refresh_hash,
       sealed_tokens, created_at, used_at)
     VALUES (:sessionId, :userId, :deviceId, :clientId, :scope, :accessHash, :refreshHash, :sealedTokens, :now, :now)`,
    { ...session },
  );
}

/** Ended or not. */
export function findOauthSession(sessionId: string): Query<OauthSession> {
  return ask(`SELECT ${COLUMNS} FROM oauth_sessions WHERE session_id = :sessionId`, { sessionId });
}

/** The live one whose access token this is, or was before the newest refresh. */
export function findOauthSessionOfAccess(accessHash: string): Query<OauthSession> {
  return ask(
    `SELECT ${COLUMNS} FROM oauth_sessions
     WHERE (access_hash = :accessHash OR previous_access_hash = :accessHash) AND ended_at IS NULL`,
    { accessHash },
  );
}

/** The live ones of a user, the oldest first. */
export function listOauthSessions(userId: string): Query<OauthSession> {
  return ask(
    `SELECT ${COLUMNS} FROM oauth_sessions WHERE user_id = :userId AND ended_at IS NULL ORDER BY created_at, session_id`,
    { userId },
  );
}

/** One row if there is a live one. */
export function findAnyOauthSession(): Query<object> {
  return ask('SELECT 1 AS one FROM oauth_sessions WHERE ended_at IS NULL LIMIT 1');
}

/** What one refresh puts into the place of what was. */
export interface Rotation {
  readonly sessionId: string;
  /** The hash of the refresh token that was presented. */
  readonly presentedHash: string;
  readonly nextHash: string;
  /** The hash of the homeserver's access token; the same as before where it was not refreshed. */
  readonly accessHash: string;
  readonly sealedTokens: Buffer;
  readonly sealedAnswer: Buffer;
}

/** A refresh, decided by one write (R8): lost where another token is the current one, or the session has ended. */
export function rotateOauthSession(rotation: Rotation): Decision<object> {
  return decide(
    `UPDATE oauth_sessions
     SET previous_hash = refresh_hash, refresh_hash = :nextHash, rotated_at = :now, used_at = :now,
       previous_access_hash = CASE WHEN access_hash = :accessHash THEN previous_access_hash ELSE access_hash END,
       access_hash = :accessHash, sealed_tokens = :sealedTokens, sealed_answer = :sealedAnswer, leased_until = 0
     WHERE session_id = :sessionId AND refresh_hash = :presentedHash AND ended_at IS NULL`,
    { ...rotation },
  );
}

/** Leases a live session to the request that refreshes the homeserver's token. Lost while another one has it. */
export function leaseOauthRefresh(sessionId: string, presentedHash: string, forMs: number): Decision<object> {
  return decide(
    `UPDATE oauth_sessions SET leased_until = :now + :forMs
     WHERE session_id = :sessionId AND refresh_hash = :presentedHash AND ended_at IS NULL AND leased_until <= :now`,
    { sessionId, presentedHash, forMs },
  );
}

/** Gives the lease back: the homeserver could not refresh now. */
export function giveBackOauthRefresh(sessionId: string, presentedHash: string): Effect {
  return effect(
    `UPDATE oauth_sessions SET leased_until = 0 WHERE session_id = :sessionId AND refresh_hash = :presentedHash`,
    { sessionId, presentedHash },
  );
}

/** @param which in SQL, of our own words only */
function ending(which: string, logout: Ending['logout']): string {
  const after = logout === 'due' ? 'logout_due_at = :now' : 'sealed_tokens = NULL';
  return `UPDATE oauth_sessions SET ended_at = :now, ended_because = :because, sealed_answer = NULL, ${after}
    WHERE ${which} AND ended_at IS NULL`;
}

/** Whose session has ended. */
type EndedSession = Pick<OauthSession, 'userId' | 'deviceId' | 'clientId'>;
const RETURNING = 'RETURNING user_id AS "userId", device_id AS "deviceId", client_id AS "clientId"';

/** Ends one. Lost if it has ended before. */
export function endOauthSession(sessionId: string, { because, logout }: Ending): Decision<EndedSession> {
  return decide(
    `${ending('session_id = :sessionId', logout)}
     ${RETURNING}`,
    { sessionId, because },
  );
}

/** Ends the one whose access token this is. Lost where there is none. */
export function endOauthSessionOfAccess(
  accessHash: string,
  { because, logout }: Ending,
): Decision<EndedSession> {
  return decide(
    `${ending('(access_hash = :accessHash OR previous_access_hash = :accessHash)', logout)}
     ${RETURNING}`,
    { accessHash, because },
  );
}

/** Ends all of a user. */
export function endOauthSessionsOf(userId: string, { because, logout }: Ending): Effect {
  return effect(ending('user_id = :userId', logout), { userId, because });
}

/** Ends those of a device. */
export function endOauthSessionsOfDevice(
  userId: string,
  deviceId: string,
  { because, logout }: Ending,
): Effect {
  return effect(ending('user_id = :userId AND device_id = :deviceId', logout), { userId, deviceId, because });
}

/** Leases ended ones to one sweep, which logs them out. In PostgreSQL two sweeps at once take different ones. */
export function leaseOauthLogouts(leaseUntil: number, limit: number): Query<DueLogout> {
  const due = `SELECT session_id FROM oauth_sessions WHERE logout_due_at <= :now ORDER BY logout_due_at LIMIT :limit`;
  const leasing = (which: string) =>
    `UPDATE oauth_sessions SET logout_due_at = :leaseUntil, logout_attempts = logout_attempts + 1
     WHERE session_id IN (${which}) RETURNING ${COLUMNS}, logout_attempts AS attempts`;
  return ask(
    { sqlite: leasing(due), postgres: leasing(`${due} FOR UPDATE SKIP LOCKED`) },
    { leaseUntil, limit },
  );
}

/** Tries the logout again no sooner than at `until`. */
export function postponeOauthLogout(sessionId: string, until: number): Effect {
  return effect(
    'UPDATE oauth_sessions SET logout_due_at = :until WHERE session_id = :sessionId AND logout_due_at IS NOT NULL',
    { sessionId, until },
  );
}

/** It is logged out: its tokens are not needed any more. */
export function finishOauthLogout(sessionId: string): Effect {
  return effect(
    `UPDATE oauth_sessions SET logout_due_at = NULL, sealed_tokens = NULL
     WHERE session_id = :sessionId AND ended_at IS NOT NULL`,
    { sessionId },
  );
}

/** Those that waited for their logout, or were being logged out, when a backup was made: the next sweep takes them. */
export function freeOauthLogouts(): Effect {
  return effect(
    bothDialects(
      ({ least }) =>
        `UPDATE oauth_sessions SET logout_due_at = ${least}(logout_due_at, :now) WHERE logout_due_at IS NOT NULL`,
    ),
  );
}

/** No logout waits, and no lease lasts, for longer than it may: such a time was written by a clock that was ahead. */
export function freeOauthSessionsOfTheFuture(
  longestPauseMs: number,
  longestLeaseMs: number,
): readonly Effect[] {
  const [due, leased] = ['logout_due_at > :now + :longestPauseMs', 'leased_until > :now + :longestLeaseMs'];
  return [
    changeSome('oauth_sessions', 'logout_due_at = :now', due, { longestPauseMs }),
    changeSome('oauth_sessions', 'leased_until = 0', leased, { longestLeaseMs }),
  ];
}

/** Removes those that ended long ago, once they are logged out. */
export function pruneOauthSessions(): Effect {
  return dropSome('oauth_sessions', `ended_at <= :now - ${ENDED_KEPT} AND logout_due_at IS NULL`);
}
