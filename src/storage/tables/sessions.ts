import {
  ask,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  type Values,
  type Write,
  when,
} from '../statement.ts';
import type { Driver, SessionLimits, SessionState, SessionStore, StoredSession } from '../stores.ts';

const SESSION = `
  id_hash AS "idHash", sealed_id AS "sealedId", target, user_id AS "userId", token_hash AS "tokenHash", flows,
  completed, sealed_body AS "sealedBody", body_digest AS "bodyDigest", sealed_password AS "sealedPassword",
  sealed_token AS "sealedToken", device_id AS "deviceId", hold_id AS "holdId", pot, network, address, failures,
  created_at AS "createdAt", expires_at AS "expiresAt"`;

/** A session as its row holds it: lists are JSON. */
export type SessionRow = Omit<StoredSession, 'flows' | 'completed'> & {
  readonly flows: string;
  readonly completed: string;
};

/** More than one session is beyond a limit only where the limit was lowered: two go for each that is opened. */
const DROPPED_AT_ONCE = 2;

export function openSession(session: StoredSession): Effect {
  return effect(
    `INSERT INTO sessions (id_hash, sealed_id, target, user_id, token_hash, flows, completed, sealed_body,
       body_digest, sealed_password, sealed_token, device_id, hold_id, pot, network, address, failures,
       created_at, expires_at)
     VALUES (:idHash, :sealedId, :target, :userId, :tokenHash, :flows, :completed, :sealedBody,
       :bodyDigest, :sealedPassword, :sealedToken, :deviceId, :holdId, :pot, :network, :address, :failures,
       :createdAt, :expiresAt)`,
    { ...session, flows: JSON.stringify(session.flows), completed: JSON.stringify(session.completed) },
  );
}

/**
 * Units that open sessions of one pot run one after the other, so that each counts what the others opened. SQLite
 * has one writer at a time anyway.
 */
export function lockPot({ pot }: StoredSession): Query<object> {
  return ask(
    {
      sqlite: 'SELECT 1 AS locked',
      postgres: "SELECT pg_advisory_xact_lock(hashtext('sessions in pot ' || :pot)) IS NULL AS locked",
    },
    { pot },
  );
}

/**
 * Memory and disk stay bounded however many sign-ins are begun (attacks 71, 122), and what goes belongs to who has
 * most: of a held login and of a token to the network with most, of a pot to the user with most (attack 138).
 */
export function dropExcess(opened: StoredSession, limits: SessionLimits): readonly Write[] {
  const { idHash, pot, userId, holdId, tokenHash } = opened;
  const { perHoldOrToken, perUser, perPot } = limits;
  const ofHold = { maximum: perHoldOrToken, holdId, pot, idHash };
  const ofToken = { maximum: perHoldOrToken, tokenHash, idHash };
  return [
    ...(holdId === null ? [] : [dropOldest('hold_id = :holdId AND pot = :pot', ofHold)]),
    ...(tokenHash === null ? [] : [dropOldest('token_hash = :tokenHash', ofToken)]),
    dropOldest('pot = :pot AND user_id = :userId', { maximum: perUser, pot, userId, idHash }),
    repeated(dropOfUserWithMost(perPot, opened)),
  ];
}

/** @param scope in SQL, of our own words only */
function dropOldest(scope: string, values: Values): Write {
  return repeated(
    decide(
      `DELETE FROM sessions WHERE id_hash = CASE
         WHEN (SELECT count(*) FROM sessions WHERE ${scope}) > :maximum THEN (${oldestOf(scope)}) END`,
      values,
    ),
  );
}

function dropOfUserWithMost(maximum: number, { pot, idHash }: StoredSession): Decision<object> {
  const most = `(SELECT user_id FROM sessions WHERE pot = :pot AND id_hash <> :idHash
    GROUP BY user_id ORDER BY count(*) DESC, min(rowid) LIMIT 1)`;
  return decide(
    `DELETE FROM sessions WHERE id_hash = CASE
       WHEN (SELECT count(*) FROM sessions WHERE pot = :pot) > :maximum
       THEN (${oldestOf(`pot = :pot AND user_id = ${most}`)}) END`,
    { maximum, pot, idHash },
  );
}

/** Of the sessions in `scope` the oldest of the network with most, but not the one that was opened just now. */
function oldestOf(scope: string): string {
  return `SELECT id_hash FROM sessions WHERE ${scope} AND id_hash <> :idHash AND network IS NOT DISTINCT FROM
    (SELECT network FROM sessions WHERE ${scope} AND id_hash <> :idHash
     GROUP BY network ORDER BY count(*) DESC, min(rowid) LIMIT 1)
    ORDER BY created_at, rowid LIMIT 1`;
}

function repeated(drop: Decision<object>, times = DROPPED_AT_ONCE): Write {
  return times === 1 ? drop : when(drop, { won: repeated(drop, times - 1), lost: [] });
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
  bodyDigest: string | null,
): Query<SessionRow> {
  const ofSameBody =
    bodyDigest === null
      ? ''
      : "AND (body_digest = :bodyDigest OR (body_digest IS NULL AND completed = '[]'))";
  return findFirst(
    `token_hash = :tokenHash AND target = :target ${ofSameBody}`,
    'created_at DESC, rowid DESC',
    { tokenHash, target, bodyDigest },
  );
}

export function findSessionOfHold(holdId: string, bodyDigest: string): Query<SessionRow> {
  return findFirst(
    'hold_id = :holdId AND body_digest = :bodyDigest',
    'length(completed) DESC, created_at DESC, rowid DESC',
    { holdId, bodyDigest },
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

export function bindPassword(idHash: string, sealedPassword: Buffer): Decision<object> {
  return decide('UPDATE sessions SET sealed_password = :sealedPassword WHERE id_hash = :idHash', {
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

/** Ends a session that has had so many failed attempts. */
export function endFailedSession(idHash: string, failureLimit: number): Effect {
  return effect('DELETE FROM sessions WHERE id_hash = :idHash AND failures >= :failureLimit', {
    idHash,
    failureLimit,
  });
}

/** Ends a live session that stands where a request has read it: won by one request, which does what it was for. */
export function finishSession({ idHash, completed, bodyDigest }: SessionState): Decision<object> {
  return decide(
    `DELETE FROM sessions WHERE id_hash = :idHash AND completed = :completed
       AND body_digest IS NOT DISTINCT FROM :bodyDigest AND expires_at > :now`,
    { idHash, bodyDigest, completed: JSON.stringify(completed) },
  );
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

/** Opens a session within its limits; in a unit that names its user. */
export function openWithin(session: StoredSession, limits: SessionLimits): Write {
  return [lockPot(session), openSession(session), dropExcess(session, limits)];
}

/** The UIA sessions. */
export class SessionTable implements SessionStore {
  constructor(private readonly driver: Driver) {}

  async open(session: StoredSession, limits: SessionLimits): Promise<void> {
    await this.driver.commit([session.userId], openWithin(session, limits));
  }

  find(idHash: string): Promise<StoredSession | undefined> {
    return this.first(findSession(idHash));
  }

  findBound(tokenHash: string, target: string, bodyDigest: string | null) {
    return this.first(findBoundSession(tokenHash, target, bodyDigest));
  }

  findOfHold(holdId: string, bodyDigest: string): Promise<StoredSession | undefined> {
    return this.first(findSessionOfHold(holdId, bodyDigest));
  }

  complete(state: SessionState, stage: string): Promise<boolean> {
    return this.wins(completeStage(state, stage));
  }

  bindBody(idHash: string, sealedBody: Buffer | null, bodyDigest: string): Promise<boolean> {
    return this.wins(bindBody(idHash, sealedBody, bodyDigest));
  }

  bindPassword(idHash: string, sealedPassword: Buffer): Promise<boolean> {
    return this.wins(bindPassword(idHash, sealedPassword));
  }

  async countFailure(idHash: string): Promise<number> {
    const counted = await this.driver.commit([], countSessionFailure(idHash));
    return counted?.failures ?? Number.MAX_SAFE_INTEGER;
  }

  end(idHash: string): Promise<boolean> {
    return this.wins(endSession(idHash));
  }

  async endOfToken(userId: string, tokenHash: string): Promise<void> {
    await this.driver.commit([userId], endSessionsOfToken(userId, tokenHash));
  }

  async dropExpired(): Promise<void> {
    await this.driver.commit([], effect('DELETE FROM sessions WHERE expires_at <= :now'));
  }

  private async wins(decision: Decision<object>): Promise<boolean> {
    return (await this.driver.commit([], decision)) !== undefined;
  }

  private async first(query: Query<SessionRow>): Promise<StoredSession | undefined> {
    const [row] = await this.driver.read(query);
    return row && { ...row, flows: JSON.parse(row.flows), completed: JSON.parse(row.completed) };
  }
}
