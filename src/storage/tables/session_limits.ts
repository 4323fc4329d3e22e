import { type Decision, decide, type Write, when } from '../statement.ts';
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

/**
 * Opens a session within its limits; in a unit that names its user. Units that open sessions of one pot run one after
 * the other, so that each counts what the others opened.
 */
export function openWithin(session: StoredSession, limits: SessionLimits): Write {
  return [openSession(session), repeated(dropExcess(session, limits))];
}

/**
 * Memory and disk stay bounded however many sign-ins are begun (attacks 71, 122), and what goes belongs to who has
 * most: of a held login and of a token to the network with most, of a pot to the user with most (attack 138). Each scope
 * lies in the next one, so what goes from the first that is too full makes room in all of them.
 */
function dropExcess(opened: StoredSession, limits: SessionLimits): Decision<object> {
  const { idHash, pot, userId, holdId, tokenHash } = opened;
  const ofUserWithMost = `pot = :pot AND user_id =
    (SELECT user_id FROM sessions WHERE pot = :pot AND id_hash <> :idHash
     GROUP BY user_id ORDER BY count(*) DESC, min(rowid) LIMIT 1)`;
  const scopes = [
    ...(holdId === null ? [] : [oldestBeyond('perHoldOrToken', 'hold_id = :holdId AND pot = :pot')]),
    ...(tokenHash === null ? [] : [oldestBeyond('perHoldOrToken', 'token_hash = :tokenHash')]),
    oldestBeyond('perUser', 'pot = :pot AND user_id = :userId'),
    oldestBeyond('perPot', 'pot = :pot', ofUserWithMost),
  ];
  return decide(`DELETE FROM sessions WHERE id_hash = coalesce(${scopes.join(', ')})`, {
    ...{ idHash, pot, userId, holdId, tokenHash },
    ...limits,
  });
}

/**
 * @param scope that has a maximum, in SQL, of our own words only
 * @param losing which sessions in it lose one where there are more
 */
function oldestBeyond(maximum: keyof SessionLimits, scope: string, losing = scope): string {
  return `CASE WHEN (SELECT count(*) FROM sessions WHERE ${scope}) > :${maximum} THEN (${oldestOf(losing)}) END`;
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
