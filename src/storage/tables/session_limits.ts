import { ask, type Decision, decide, type Query, type Values, type Write, when } from '../statement.ts';
import { openSession, type StoredSession } from './sessions.ts';

/** How many sessions are kept. */
export interface SessionLimits {
  /** In each pot: beyond it the user with most loses one there. */
  readonly perPot: number;
  /** Of one user in each pot. */
  readonly perUser: number;
  /** Of one held login in each pot, and of one access token. */
  readonly perHoldOrToken: number;
}

/** More than one session is beyond a limit only where the limit was lowered: two go for each that is opened. */
const DROPPED_AT_ONCE = 2;

/** Opens a session within its limits; in a unit that names its user. */
export function openWithin(session: StoredSession, limits: SessionLimits): Write {
  return [lockPot(session), openSession(session), dropExcess(session, limits)];
}

/**
 * Units that open sessions of one pot run one after the other, so that each counts what the others opened. SQLite
 * has one writer at a time anyway.
 */
function lockPot({ pot }: StoredSession): Query<object> {
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
function dropExcess(opened: StoredSession, limits: SessionLimits): readonly Write[] {
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
