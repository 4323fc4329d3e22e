import { type Decision, decide, madeOnce, type Values, type Write, when } from '../statement.ts';
import { openSession, type StoredSession } from './sessions.ts';

/** How many sessions are kept. */
export interface SessionLimits {
  /** In each pot: beyond it a fiftieth of it goes, of the users with most. */
  readonly perPot: number;
  /** Of one user in each pot. */
  readonly perUser: number;
  /** Of one held login in each pot, and of one access token. */
  readonly perHoldOrToken: number;
}

/** More than one session is beyond a limit only where the limit was lowered: two go for each that is opened. */
const DROPPED_AT_ONCE = 2;

/** Who has most in a pot is looked for among all that are in it: so rarely that a full pot costs each sign-in little. */
const PART_OF_POT = 50;

/**
 * Opens a session within its limits; in a unit that names its user. Units that open sessions of one pot run one after
 * the other, so that each counts what the others opened.
 */
export function openWithin(session: StoredSession, limits: SessionLimits): Write {
  const values = valuesOf(session, limits);
  const [hasHold, hasToken] = [session.holdId !== null, session.tokenHash !== null];
  const drop: Decision<object> = decide(dropExcessText(hasHold, hasToken), values);
  const isBeyond: Decision<object> = decide(isBeyondText(hasHold, hasToken), values);
  return [openSession(session), when(isBeyond, { won: repeated(drop), lost: [] })];
}

function valuesOf({ idHash, pot, userId, holdId, tokenHash }: StoredSession, limits: SessionLimits): Values {
  return {
    ...{ idHash, pot, userId, holdId, tokenHash },
    ...limits,
    manyOfPot: Math.max(1, Math.floor(limits.perPot / PART_OF_POT)),
  };
}

/** What is counted, and how much of it may be. Each scope lies in the next one. */
interface Scope {
  readonly maximum: keyof SessionLimits;
  /** In SQL, of our own words only. */
  readonly within: string;
}

const POT: Scope = { maximum: 'perPot', within: 'pot = :pot' };

function narrowScopes(hasHold: boolean, hasToken: boolean): readonly Scope[] {
  return [
    ...(hasHold ? [{ maximum: 'perHoldOrToken', within: 'hold_id = :holdId AND pot = :pot' } as const] : []),
    ...(hasToken ? [{ maximum: 'perHoldOrToken', within: 'token_hash = :tokenHash' } as const] : []),
    { maximum: 'perUser', within: 'pot = :pot AND user_id = :userId' },
  ];
}

function isFull({ maximum, within }: Scope): string {
  return `(SELECT count(*) FROM sessions WHERE ${within}) > :${maximum}`;
}

/** Whether anything has to go. Nearly always nothing has: then the costly search for the user with most is left out. */
const isBeyondText = madeOnce(
  (hasHold: boolean, hasToken: boolean) =>
    `SELECT 1 AS beyond WHERE ${[...narrowScopes(hasHold, hasToken), POT].map(isFull).join(' OR ')}`,
);

/**
 * Memory and disk stay bounded however many sign-ins are begun (attacks 71, 122), and what goes belongs to those who have
 * most: of a held login and of a token to the network with most, of a pot to the users with most (attack 138). Each scope
 * lies in the next one, so what goes from the first that is too full makes room in all of them.
 */
const dropExcessText = madeOnce((hasHold: boolean, hasToken: boolean) => {
  const oldest = narrowScopes(hasHold, hasToken).map(oldestBeyond);
  return `WITH one AS MATERIALIZED (SELECT coalesce(${oldest.join(', ')}, NULL) AS id_hash)
     DELETE FROM sessions WHERE id_hash IN (SELECT id_hash FROM one UNION ALL SELECT id_hash FROM (${FIRST_OF_POT}) AS pot_first)`;
});

function oldestBeyond(scope: Scope): string {
  return `CASE WHEN ${isFull(scope)} THEN (${oldestOf(scope.within)}) END`;
}

/** The oldest session in `scope`, of the network that has most there; never the one that was opened just now. */
function oldestOf(scope: string): string {
  return `SELECT id_hash FROM sessions WHERE ${scope} AND id_hash <> :idHash AND network IS NOT DISTINCT FROM
    (SELECT network FROM sessions WHERE ${scope} AND id_hash <> :idHash
     GROUP BY network ORDER BY count(*) DESC, min(rowid) LIMIT 1)
    ORDER BY created_at, rowid LIMIT 1`;
}

/** The sessions of a pot, each with how many newer ones its user has from the same network. */
const IN_NETWORKS = `SELECT id_hash, user_id, created_at, rowid AS made,
    row_number() OVER (PARTITION BY user_id, network ORDER BY created_at DESC, rowid DESC) AS in_network
  FROM sessions WHERE pot = :pot AND id_hash <> :idHash`;

/**
 * Those that go from a pot that is too full: each of the user who has most of what is left by then, and of theirs the
 * oldest of the network with most. None where one of a narrower scope goes.
 */
const FIRST_OF_POT = `SELECT id_hash FROM (
    SELECT id_hash, created_at, made,
      row_number() OVER (PARTITION BY user_id ORDER BY in_network, created_at DESC, made DESC) AS of_user
    FROM (${IN_NETWORKS}) AS in_networks) AS of_users
  ORDER BY of_user DESC, created_at, made
  LIMIT CASE WHEN (SELECT id_hash FROM one) IS NULL
    AND (SELECT count(*) FROM sessions WHERE pot = :pot) > :perPot THEN :manyOfPot ELSE 0 END`;

function repeated(drop: Decision<object>, times = DROPPED_AT_ONCE): Write {
  return times === 1 ? drop : when(drop, { won: repeated(drop, times - 1), lost: [] });
}
