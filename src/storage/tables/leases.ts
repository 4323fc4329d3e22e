import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** A right that one holder has until a time, and what it leaves to those who wait. */
export interface LeaseRow {
  readonly holder: string;
  /** 1 while the lease is taken. */
  readonly taken: number;
  /** What the holder left, sealed with the identity `lease:<key>:<holder>`; null if nothing. */
  readonly sealedOutcome: Buffer | null;
}

/**
 * Takes the lease for `forMs`. Lost while another holder has it. A time far further ahead than that was written while
 * the clock was wrong, and does not count. A time a little further ahead was not: a take that waited for another one has
 * an older `:now` than that one.
 */
export function takeLease(key: string, holder: string, forMs: number): Decision<object> {
  return decide(
    `INSERT INTO leases (key, holder, until_at, sealed_outcome) VALUES (:key, :holder, :now + :forMs, NULL)
     ON CONFLICT (key) DO UPDATE
       SET holder = excluded.holder, taken = 1, until_at = excluded.until_at, sealed_outcome = NULL
       WHERE leases.taken = 0 OR leases.until_at <= :now OR leases.until_at > :now + 2 * :forMs`,
    { key, holder, forMs },
  );
}

/**
 * Units that begin with this stand in line for `key` until their commit: what one of them has written, the next one
 * counts. Without it two of one moment do not see each other in PostgreSQL, and a limit by count can be passed.
 */
export function standInLine(key: string): Effect {
  return effect(
    `INSERT INTO leases (key, holder, until_at, sealed_outcome) VALUES (:key, '', :now, NULL)
     ON CONFLICT (key) DO UPDATE SET until_at = excluded.until_at`,
    { key },
  );
}

/** Keeps the lease `forMs` from now, in a unit that holds its row. Lost if another one may have taken it. */
export function keepLease(key: string, holder: string, forMs: number): Decision<object> {
  return decide(
    `UPDATE leases SET until_at = :now + :forMs
     WHERE key = :key AND holder = :holder AND taken = 1 AND until_at > :now`,
    { key, holder, forMs },
  );
}

/** Gives the lease back, if `holder` still has it. */
export function leaveLease(key: string, holder: string, sealedOutcome: Buffer | null): Effect {
  return effect(
    `UPDATE leases SET taken = 0, until_at = :now, sealed_outcome = :sealedOutcome
     WHERE key = :key AND holder = :holder`,
    { key, holder, sealedOutcome },
  );
}

export function findLease(key: string): Query<LeaseRow> {
  return ask(
    `SELECT holder, CASE WHEN taken = 1 AND until_at > :now THEN 1 ELSE 0 END AS taken, sealed_outcome AS "sealedOutcome"
     FROM leases WHERE key = :key`,
    { key },
  );
}

/** Drops leases that ended over `keptMs` ago: no one waits for them any more. */
export function dropEndedLeases(keptMs: number): Effect {
  return dropSome('leases', 'until_at <= :now - :keptMs', { keptMs });
}
