import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  listOf,
  type Query,
  type Values,
} from '../statement.ts';
import { currentVersion } from './accounts.ts';
import { HAS_STEP_UP } from './page_sessions.ts';

/** A UIA session as stored. Its id is kept hashed (R11). */
export interface StoredSession {
  readonly idHash: string;
  /** The plain id, sealed with the identity `session-id:<idHash>`: "the same session again" must name it. */
  readonly sealedId: Buffer;
  /** What it was opened for, compared whole: e.g. `login v3` or `POST /_matrix/client/v3/delete_devices`. */
  readonly target: string;
  readonly userId: string;
  /** SHA-256 of the access token it is bound to; null at login. */
  readonly tokenHash: string | null;
  readonly flows: readonly (readonly string[])[];
  readonly completed: readonly string[];
  /** The first non-empty body, sealed with the identity `session:<idHash>`; null until there was one, or if it is large. */
  readonly sealedBody: Buffer | null;
  /** Keyed digest of that body; null until there was one. */
  readonly bodyDigest: string | null;
  /** A password that a page had judged, sealed like the body; null otherwise. */
  readonly sealedPassword: Buffer | null;
  /** The access token itself, sealed likewise: a page needs it to have a password judged. Null where no page will. */
  readonly sealedToken: Buffer | null;
  /** The device of the access token, for the audit; null at login. */
  readonly deviceId: string | null;
  /** The held login that this session releases; null on guarded endpoints. */
  readonly holdId: string | null;
  /** The version of the account under which it was opened; null where no second factor is owed for a held login. */
  readonly version: number | null;
  readonly pot: SessionPot;
  /** Keyed digest of the network that opened it; null where that is not known. */
  readonly network: string | null;
  /** The address that opened it, for the person who is to approve it; null where no page tells it. */
  readonly address: string | null;
  readonly failures: number;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Where a session was opened: on one of our pages, at `POST /login` or `/register`, or under an access token. */
export type SessionPot = 'page' | 'login' | 'token';

/** The state of a session that a request has read, and that a stage is done in. */
export type SessionState = Pick<StoredSession, 'idHash' | 'completed' | 'bodyDigest'>;

const SESSION = `
  id_hash AS "idHash", sealed_id AS "sealedId", target, user_id AS "userId", token_hash AS "tokenHash", flows,
  completed, sealed_body AS "sealedBody", body_digest AS "bodyDigest", sealed_password AS "sealedPassword",
  sealed_token AS "sealedToken", device_id AS "deviceId", hold_id AS "holdId", version, pot, network, address, failures,
  created_at AS "createdAt", expires_at AS "expiresAt"`;

/** A session as its row holds it: lists are JSON. */
export type SessionRow = Omit<StoredSession, 'flows' | 'completed'> & {
  readonly flows: string;
  readonly completed: string;
};

export function openSession(session: StoredSession): Effect {
  return effect(
    `INSERT INTO sessions (id_hash, sealed_id, target, user_id, token_hash, flows, completed, sealed_body,
       body_digest, sealed_password, sealed_token, device_id, hold_id, version, pot, network, address, failures,
       created_at, expires_at)
     VALUES (:idHash, :sealedId, :target, :userId, :tokenHash, :flows, :completed, :sealedBody,
       :bodyDigest, :sealedPassword, :sealedToken, :deviceId, :holdId, :version, :pot, :network, :address, :failures,
       :createdAt, :expiresAt)`,
    { ...session, flows: JSON.stringify(session.flows), completed: JSON.stringify(session.completed) },
  );
}

/**
 * Only the row that is found is read whole: what is sealed in the others is never looked at (attack 122).
 * @param condition and `order` in SQL, of our own words only
 */
function findFirst(condition: string, order: string, values: Values): Query<SessionRow> {
  return ask(
    `SELECT ${SESSION} FROM sessions WHERE id_hash =
       (SELECT id_hash FROM sessions WHERE ${condition} AND expires_at > :now ORDER BY ${order} LIMIT 1)`,
    values,
  );
}

export function findSession(idHash: string): Query<SessionRow> {
  return ask(`SELECT ${SESSION} FROM sessions WHERE id_hash = :idHash AND expires_at > :now`, { idHash });
}

export function findBoundSession(
  tokenHash: string,
  target: string,
  bodyDigests: readonly string[] | null,
): Query<SessionRow> {
  const { names, values } = listOf('digest', bodyDigests ?? []);
  const ofSameBody =
    bodyDigests === null
      ? ''
      : `AND (body_digest IN (${names}) OR (body_digest IS NULL AND completed = '[]'))`;
  return findFirst(
    `token_hash = :tokenHash AND target = :target ${ofSameBody}`,
    'created_at DESC, rowid DESC',
    { tokenHash, target, ...values },
  );
}

export function findSessionOfHold(holdId: string, bodyDigests: readonly string[]): Query<SessionRow> {
  const { names, values } = listOf('digest', bodyDigests);
  return findFirst(
    `hold_id = :holdId AND body_digest IN (${names})`,
    'length(completed) DESC, created_at DESC, rowid DESC',
    { holdId, ...values },
  );
}

/**
 * Decides nothing but whether a session stands where a request has read it: lost if stages or body are others by now,
 * or it has ended. The row is locked, so what follows in the unit finds it as it is.
 */
export function stillStands({ idHash, completed, bodyDigest }: SessionState): Decision<object> {
  return decide(
    `UPDATE sessions SET failures = failures
     WHERE id_hash = :idHash AND completed = :completed AND body_digest IS NOT DISTINCT FROM :bodyDigest`,
    { idHash, bodyDigest, completed: JSON.stringify(completed) },
  );
}

/** Appends a stage; lost if stages or body are no longer what the request has read (R7, R8). */
export function completeStage(state: SessionState, stage: string): Decision<object> {
  const { idHash, completed, bodyDigest } = state;
  return decide(
    `UPDATE sessions SET completed = :completed
     WHERE id_hash = :idHash AND completed = :expected AND body_digest IS NOT DISTINCT FROM :bodyDigest`,
    {
      idHash,
      bodyDigest,
      expected: JSON.stringify(completed),
      completed: JSON.stringify([...completed, stage]),
    },
  );
}

/** The set-up that a session is completed by. */
export interface SetUpOfSession {
  readonly setupId: string;
  readonly begunBy: string;
  /** The stage that it completes. */
  readonly stage: string;
  /** The authenticator is the first of its user; or the sign-in had none to set up, and it replaces others. */
  readonly is: 'first' | 'replacing';
  /** The request to recover the account that it makes use of. */
  readonly recovers?: string | undefined;
}

/** In SQL: a unit that changes a request names its user, so it cannot change before the unit is written. */
const IS_RECOVERABLE = `AND EXISTS (SELECT 1 FROM recovery_requests WHERE recovery_requests.id = :recovers
  AND recovery_requests.user_id = sessions.user_id AND state = 'open' AND closes_at > :now)`;

/**
 * Appends the stage of a set-up, and takes the session over to the next version of the account, which the unit that this
 * stands in makes. Lost if the session is no longer what the request has read, or is under another version; if its user
 * has an authenticator where it is the first, or none where it replaces; if the set-up is gone or another
 * session's; or if the recovery that it makes use of is not open (R8).
 */
export function completeEnrolment(
  { idHash, completed, bodyDigest }: SessionState,
  { setupId, begunBy, stage, is, recovers }: SetUpOfSession,
): Decision<object> {
  const isFirst = is === 'first';
  const all = [...completed, stage];
  return decide(
    `UPDATE sessions SET completed = :completed, version = version + 1${isFirst ? '' : ', flows = :flows'}
     WHERE id_hash = :idHash AND completed = :expected AND body_digest IS NOT DISTINCT FROM :bodyDigest
       AND expires_at > :now AND version = ${currentVersion('sessions.user_id')}
       AND ${isFirst ? 'NOT ' : ''}EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = sessions.user_id)
       AND EXISTS (SELECT 1 FROM setups WHERE setups.id = :setupId AND setups.user_id = sessions.user_id
         AND setups.token_hash = :begunBy AND setups.expires_at > :now)
       ${recovers === undefined ? '' : IS_RECOVERABLE}`,
    {
      idHash,
      bodyDigest,
      setupId,
      begunBy,
      expected: JSON.stringify(completed),
      completed: JSON.stringify(all),
      ...(!isFirst && { flows: JSON.stringify([all]) }),
      ...(recovers !== undefined && { recovers }),
    },
  );
}

/** Binds the first body; lost if there is one, or a stage is done. */
export function bindBody(idHash: string, sealedBody: Buffer | null, bodyDigest: string): Decision<object> {
  return decide(
    `UPDATE sessions SET sealed_body = :sealedBody, body_digest = :bodyDigest
     WHERE id_hash = :idHash AND body_digest IS NULL AND completed = '[]'`,
    { idHash, sealedBody, bodyDigest },
  );
}

/** Keeps a password that was judged. */
export function bindPassword(idHash: string, sealedPassword: Buffer): Effect {
  return effect('UPDATE sessions SET sealed_password = :sealedPassword WHERE id_hash = :idHash', {
    idHash,
    sealedPassword,
  });
}

/** Lost if the session is gone. */
export function countSessionFailure(idHash: string): Decision<{ readonly failures: number }> {
  return decide('UPDATE sessions SET failures = failures + 1 WHERE id_hash = :idHash RETURNING failures', {
    idHash,
  });
}

/** A live session ends so much later, at `until` at the latest. */
export function extendSession(idHash: string, moreMs: number, until: number): Effect {
  return effect(
    bothDialects(
      ({ least }) =>
        `UPDATE sessions SET expires_at = ${least}(expires_at + :moreMs, :until)
         WHERE id_hash = :idHash AND expires_at > :now`,
    ),
    { idHash, moreMs, until },
  );
}

/** Ends a session that has had so many failed attempts. */
export function endFailedSession(idHash: string, failureLimit: number): Effect {
  return effect('DELETE FROM sessions WHERE id_hash = :idHash AND failures >= :failureLimit', {
    idHash,
    failureLimit,
  });
}

/**
 * Ends a live session that stands where a request has read it: won by one request, which does what it was for.
 * @param pageSession whose step-up must stand, where the session was begun under one
 */
export function finishSession(
  { idHash, completed, bodyDigest }: SessionState,
  pageSession?: string,
): Decision<object> {
  const finished = `DELETE FROM sessions WHERE id_hash = :idHash AND completed = :completed
    AND body_digest IS NOT DISTINCT FROM :bodyDigest AND expires_at > :now`;
  const values = { idHash, bodyDigest, completed: JSON.stringify(completed) };
  if (pageSession === undefined) return decide(finished, values);
  return decide(`${finished} AND ${HAS_STEP_UP}`, { ...values, pageSession });
}

/** Ends a session: won by one request, which does what the session was for. */
export function endSession(idHash: string): Decision<object> {
  return decide('DELETE FROM sessions WHERE id_hash = :idHash', { idHash });
}

export function endSessionsOfToken(userId: string, tokenHash: string): Effect {
  return effect('DELETE FROM sessions WHERE user_id = :userId AND token_hash = :tokenHash', {
    userId,
    tokenHash,
  });
}
