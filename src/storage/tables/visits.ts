import { dropSome } from '../dropping.ts';
import {
  ask,
  bothDialects,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  type Sql,
  type Values,
  when,
} from '../statement.ts';

/** What stands between the requests of one browser at one of our pages. */
export interface StoredVisit {
  /** SHA-256 of the id in the address, and of the page that it is for. */
  readonly idHash: string;
  /** Keyed digest of the browser's form cookie: the id is worth nothing without it. */
  readonly browser: string;
  /** The hash of the session whose login is held; null where none is. */
  readonly sessionHash: string | null;
  /** How many forms were taken; a form names the number that it was shown under. */
  readonly turn: number;
  /** Sealed with the identity `visit:<idHash>`. */
  readonly sealedState: Buffer;
}

/** How many visits are kept. */
export interface VisitLimits {
  readonly perBrowser: number;
  readonly most: number;
}

/** Times of a visit, in ms. */
export interface VisitTimes {
  /** How long one request may be at work on it. */
  readonly takenMs: number;
  /** How long it is kept after its held login, or the last request where none is held. */
  readonly keptMs: number;
}

/**
 * Opens a visit, its first turn taken. Lost if it is there already: another request has taken that turn. Beyond a limit
 * the oldest go, but none whose login is held: those are as many as there are sessions.
 */
export function openVisit(visit: Omit<StoredVisit, 'turn'>, times: VisitTimes, limits: VisitLimits) {
  const { idHash, browser } = visit;
  const { perBrowser, most } = limits;
  return when(
    decide(
      `INSERT INTO visits (id_hash, browser, session_hash, turn, taken_until, sealed_state, created_at, expires_at)
       VALUES (:idHash, :browser, :sessionHash, 1, :now + :takenMs, :sealedState, :now, :now + :keptMs)
       ON CONFLICT (id_hash) DO NOTHING`,
      { ...visit, ...times },
    ),
    {
      won: [
        dropOldest('browser = :browser', { idHash, browser, maximum: perBrowser }),
        dropOldest('1 = 1', { idHash, maximum: most }),
      ],
      lost: [],
    },
  );
}

/** @param scope in SQL, of our own words only */
function dropOldest(scope: string, values: Values): Effect {
  const isHeld = `EXISTS (SELECT 1 FROM sessions
    WHERE sessions.id_hash = visits.session_hash AND sessions.expires_at > :now)`;
  const excess = `(SELECT count(*) FROM visits WHERE ${scope}) - :maximum`;
  const picked = ({ greatest }: { readonly greatest: string }) =>
    `SELECT id_hash FROM visits WHERE ${scope} AND id_hash <> :idHash AND NOT ${isHeld}
     ORDER BY created_at, rowid LIMIT ${greatest}(${excess}, 0)`;
  const drop = (pick: string) => `DELETE FROM visits WHERE id_hash IN (${pick})`;
  // Two requests that drop at once do not wait for each other: each takes what the other leaves.
  const sql: Sql = {
    sqlite: drop(picked({ greatest: 'max' })),
    postgres: drop(`${picked({ greatest: 'greatest' })} FOR UPDATE SKIP LOCKED`),
  };
  return effect(sql, values);
}

/** A visit as it was found. */
export interface FoundVisit extends StoredVisit {
  /** 1 while a request is at work on it. */
  readonly isTaken: 0 | 1;
}

/** No request is at work for so long, in ms: a time further ahead was written while a clock was wrong. */
const LONGEST_TURN = 3_600_000;

export function findVisit(idHash: string): Query<FoundVisit> {
  return ask(
    `SELECT id_hash AS "idHash", browser, session_hash AS "sessionHash", turn, sealed_state AS "sealedState",
       CASE WHEN taken_until > :now AND taken_until <= :now + ${LONGEST_TURN} THEN 1 ELSE 0 END AS "isTaken"
     FROM visits WHERE id_hash = :idHash AND expires_at > :now`,
    { idHash },
  );
}

/** Takes the turn that a form names. Lost if another request has taken it, or the visit is over. */
export function takeVisitTurn(
  idHash: string,
  turn: number,
  { takenMs }: VisitTimes,
): Decision<{ readonly sealedState: Buffer }> {
  return decide(
    `UPDATE visits SET turn = turn + 1, taken_until = :now + :takenMs
     WHERE id_hash = :idHash AND turn = :turn AND expires_at > :now
     RETURNING sealed_state AS "sealedState"`,
    { idHash, turn, takenMs },
  );
}

/** What a turn came to. */
export interface KeptVisit extends Pick<StoredVisit, 'idHash' | 'sessionHash' | 'turn' | 'sealedState'> {
  /** The end of the held login, in ms since the epoch; 0 where none is held. */
  readonly heldUntil: number;
}

/** Keeps what a turn came to, for the request that took it. Lost if a later one was taken, or the visit is over. */
export function keepVisit(kept: KeptVisit, { keptMs }: VisitTimes): Decision<object> {
  return decide(
    bothDialects(
      ({ greatest }) =>
        `UPDATE visits SET sealed_state = :sealedState, session_hash = :sessionHash, taken_until = 0,
           expires_at = ${greatest}(:heldUntil, :now) + :keptMs
         WHERE id_hash = :idHash AND turn = :turn AND expires_at > :now`,
    ),
    { ...kept, keptMs },
  );
}

export function dropOldVisits(): Effect {
  return dropSome('visits', 'expires_at <= :now');
}
