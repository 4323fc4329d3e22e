import { ask, type Effect, effect, listOf, type Query } from '../statement.ts';
import type { Gap } from './audit_chains.ts';

/** An entry with its place; null outside the chains. */
interface PlacedRow {
  readonly number: number;
  readonly chain: number | null;
  readonly n: number | null;
  readonly mac: string | null;
}

/** An entry that is to be removed, with the gaps beside it. */
export interface DoomedRow extends PlacedRow {
  /** Where the gap begins that ends right before it; null if there is none. */
  readonly gapBefore: number | null;
  /** Where the gap ends that begins right behind it, and the mac that the next entry follows on. */
  readonly gapBehind: number | null;
  readonly macBehind: string | null;
}

export interface WithAddress extends PlacedRow {
  readonly address: string;
}

const PLACE = 'number, chain, n, mac';
/** Three look-ups for each row: there can be as many gaps as entries. */
const GAPS_BESIDE = `(SELECT CASE WHEN last_n = doomed.n - 1 THEN first_n END FROM audit_gaps
     WHERE audit_gaps.chain = doomed.chain AND first_n < doomed.n ORDER BY first_n DESC LIMIT 1) AS "gapBefore",
   (SELECT last_n FROM audit_gaps WHERE audit_gaps.chain = doomed.chain AND first_n = doomed.n + 1) AS "gapBehind",
   (SELECT last_mac FROM audit_gaps WHERE audit_gaps.chain = doomed.chain AND first_n = doomed.n + 1) AS "macBehind"`;

/** @param rest which entries, in SQL, of our own words only */
function doomed(rest: string): string {
  return `SELECT ${PLACE}, ${GAPS_BESIDE} FROM (SELECT ${PLACE} FROM audit ${rest} LIMIT :most) AS doomed`;
}

/** Entries that are older than that, in ms. */
export function findOlder(keptMs: number, most: number): Query<DoomedRow> {
  return ask(doomed('WHERE at < :now - :keptMs ORDER BY at, number'), { keptMs, most });
}

/** How many of the entries that were not looked at yet are looked at at once. */
export const LOOKED_AT_ONCE = 500;

/** In the order in which they were written. An entry that is committed behind a later one is found with the next of its kind. */
const notLookedAt = (columns: string) =>
  `(SELECT ${columns} FROM audit WHERE number > (SELECT looked_until FROM audit_prunings)
     ORDER BY number LIMIT ${LOOKED_AT_ONCE}) AS part`;

/** Of the next entries that were not looked at: how many there are, and the number of the last; null if there is none. */
export function findNotLookedAt(): Query<{ readonly count: number; readonly until: number | null }> {
  return ask(`SELECT count(*) AS count, max(number) AS until FROM ${notLookedAt('number')}`);
}

export function keepLookedUntil(number: number): Effect {
  return effect('UPDATE audit_prunings SET looked_until = :number', { number });
}

/** The entries of one event of one user up to a number: there are enough newer ones. */
export interface Excess {
  readonly userId: string;
  readonly event: string;
  readonly until: number;
}

/**
 * What there is beyond the newest of each user and event, of these events and of this deed of any factor. Only users and
 * events among the next entries that were not looked at can have become too many.
 */
export function listExcess(events: readonly string[], deed: string, newest: number): Query<Excess> {
  const { names, values } = listOf('event', events);
  return ask(
    `SELECT user_id AS "userId", event, until FROM
       (SELECT user_id, event, (SELECT number FROM audit
           WHERE audit.user_id = kinds.user_id AND audit.event = kinds.event
           ORDER BY number DESC LIMIT 1 OFFSET :newest) AS until
        FROM (SELECT DISTINCT user_id, event FROM ${notLookedAt('user_id, event')}
          WHERE event IN (${names}) OR event LIKE :deed) AS kinds) AS counted
     WHERE until IS NOT NULL`,
    { ...values, deed: `%.${deed}`, newest },
  );
}

/** The oldest first. */
export function findExcess({ userId, event, until }: Excess, most: number): Query<DoomedRow> {
  return ask(doomed('WHERE user_id = :userId AND event = :event AND number <= :until ORDER BY number'), {
    userId,
    event,
    until,
    most,
  });
}

/** Entries older than that whose address is whole. */
export function findWithAddress(keptMs: number, most: number): Query<WithAddress> {
  return ask(
    `SELECT ${PLACE}, address FROM audit
     WHERE address IS NOT NULL AND address_digest IS NULL AND at < :now - :keptMs
     ORDER BY at, number LIMIT :most`,
    { keptMs, most },
  );
}

export function replaceAddress(number: number, network: string, digest: string, mac: string): Effect {
  return effect(
    `UPDATE audit SET address = :network, address_digest = :digest, address_mac = :mac
     WHERE number = :number AND address_digest IS NULL`,
    { number, network, digest, mac },
  );
}

export function dropEntries({ chain, firstN, lastN }: Omit<Gap, 'mac'>): Effect {
  return effect('DELETE FROM audit WHERE chain = :chain AND n BETWEEN :firstN AND :lastN', {
    chain,
    firstN,
    lastN,
  });
}

/** Removes an entry that stands in no chain. */
export function dropUnchained(number: number): Effect {
  return effect('DELETE FROM audit WHERE number = :number AND chain IS NULL', { number });
}
