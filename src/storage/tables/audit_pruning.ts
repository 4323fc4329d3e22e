import { ask, type Effect, effect, listOf, type Query } from '../statement.ts';
import type { Gap } from './audit_chains.ts';

/** An entry that is to be removed; null outside the chains. */
export interface DoomedRow {
  readonly number: number;
  readonly chain: number | null;
  readonly n: number | null;
  readonly mac: string | null;
}

export interface WithAddress extends DoomedRow {
  readonly address: string;
}

const PLACE = 'number, chain, n, mac';

/** Entries that are older than that, in ms. */
export function findOlder(keptMs: number, most: number): Query<DoomedRow> {
  return ask(`SELECT ${PLACE} FROM audit WHERE at < :now - :keptMs ORDER BY at, number LIMIT :most`, {
    keptMs,
    most,
  });
}

/** Entries of these events, and of this deed of any factor, beyond the newest of each user and event. */
export function findExcess(
  events: readonly string[],
  deed: string,
  newest: number,
  most: number,
): Query<DoomedRow> {
  const { names, values } = listOf('event', events);
  return ask(
    `SELECT ${PLACE} FROM (
       SELECT ${PLACE}, row_number() OVER (PARTITION BY user_id, event ORDER BY number DESC) AS place
       FROM audit WHERE event IN (${names}) OR event LIKE :deed) AS placed
     WHERE place > :newest ORDER BY number LIMIT :most`,
    { ...values, deed: `%.${deed}`, newest, most },
  );
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
