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
import { type HeldLogin, HOLD_OF_SESSION, type HoldOfSession } from './holds.ts';
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

/** A session as it was found by its id. */
export interface FoundSession extends StoredSession {
  /** The live held login that it releases; undefined where there is none. */
  readonly held?: HeldLogin | undefined;
}

/** Where a session was opened: on one of our pages, at `POST /login` or `/register`, or under an access token. */
export type SessionPot = 'page' | 'login' | 'token';

/** The state of a session that a request has read, and that a stage is done in. */
export type SessionState = Pick<StoredSession, 'idHash' | 'completed' | 'bodyDigest'>;

const SESSION = `
  id_hash AS "idHash", sealed_id AS "sealedId", target, sessions.user_id AS "userId", token_hash AS "tokenHash", flows,
  completed, sealed_body AS "sealedBody", body_digest AS "bodyDigest", sealed_password AS "sealedPassword",
  sealed_token AS "sealedToken", sessions.device_id AS "deviceId", hold_id AS "holdId", version, pot, network, address,
  failures, sessions.created_at AS "createdAt", sessions.expires_at AS "expiresAt"`;

const SESSION_WITH_HOLD = `${SESSION}, ${HOLD_OF_SESSION}`;

/** A session as its row holds it: lists are JSON. */
export type SessionRow = Omit<StoredSession, 'flows' | 'completed'> & {
  readonly flows: string;
  readonly completed: string;
};

/** In PostgreSQL the pot is locked until the unit is written; SQLite has one writer at a time. */
const ID_HASH_IN_LOCKED_POT = `CASE WHEN pg_advisory_xact_lock(hashtext('sessions in pot ' || :pot)) IS NOT NULL
  THEN :idHash END`;

const opening = (idHash: string) =>
  `INSERT INTO sessions (id_hash, sealed_id, target, user_id, token_hash, flows, completed, sealed_body,
     body_digest, sealed_password, sealed_token, device_id, hold_id, version, pot, network, address, failures,
     created_at, expires_at)
   VALUES (${idHash}, :sealedId, :target, :userId, :tokenHash, :flows, :completed, :sealedBody,
     :bodyDigest, :sealedPassword, :sealedToken, :deviceId, :holdId, :version, :pot, :network, :address, :failures,
     :createdAt, :expiresAt)`;
const OPEN = { sqlite: opening(':idHash'), postgres: opening(ID_HASH_IN_LOCKED_POT) };

export function openSession(session: StoredSession): Effect {
  const lists = { flows: JSON.stringify(session.flows), completed: JSON.stringify(session.completed) };
  return effect(OPEN, { ...session, ...lists });
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

/** A session, with the live held login that it releases; its columns are null where there is none. */
export type SessionRowWithHold = SessionRow & HoldOfSession;

const FIND = `SELECT ${SESSION_WITH_HOLD} FROM sessions
    LEFT JOIN holds ON holds.id = sessions.hold_id AND holds.expires_at > :now
  WHERE id_hash = :idHash AND sessions.expires_at > :now`;

export function findSession(idHash: string): Query<SessionRowWithHold> {
  return ask(FIND, { idHash });
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
