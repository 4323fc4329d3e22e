import type { ChainHead, ChainOpening, SealedHead } from '../chain.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';
import { insertion, type PlacedEntry } from './audit.ts';

/** A chain as it stands in its row; `n` is 0 and the chain empty until its first entry. */
export interface ChainRow extends ChainOpening {
  /** The mac of its beginning: what its first entry follows on. */
  readonly mac: string;
  readonly n: number;
  readonly sealed: Buffer;
}

/** How many chains there are, from the row of chain 0, which is locked. */
export function findCount(): Query<{ readonly n: number; readonly sealed: Buffer }> {
  return ask(locked('SELECT n, sealed_head AS sealed FROM audit_chains WHERE chain = 0'));
}

/** The number of the newest entry from before the first chain. */
export function lastUnchained(): Query<{ readonly number: number }> {
  return ask('SELECT coalesce(max(number), 0) AS number FROM audit');
}

/** Makes the row of chain 0, unless another process has made it. */
export function countChains(sealed: Buffer): Query<object> {
  return ask(
    `INSERT INTO audit_chains (chain, opened_at, before_n, before_mac, mac, n, sealed_head)
     VALUES (0, :now, 0, '', '', 0, :sealed) ON CONFLICT (chain) DO NOTHING RETURNING chain`,
    { sealed },
  );
}

/** Keeps how many chains there are. */
export function keepCount(count: number, sealed: Buffer): Query<object> {
  return ask('UPDATE audit_chains SET n = :count, sealed_head = :sealed WHERE chain = 0 RETURNING chain', {
    count,
    sealed,
  });
}

export function findLastChain(): Query<{ readonly chain: number; readonly sealed: Buffer }> {
  return ask(
    'SELECT chain, sealed_head AS sealed FROM audit_chains WHERE chain > 0 ORDER BY chain DESC LIMIT 1',
  );
}

export function beginChain(
  { chain, openedAt, beforeN, beforeMac }: ChainOpening,
  { mac, sealed }: SealedHead,
): Query<object> {
  return ask(
    `INSERT INTO audit_chains (chain, opened_at, before_n, before_mac, mac, n, sealed_head)
     VALUES (:chain, :openedAt, :beforeN, :beforeMac, :mac, 0, :sealed) RETURNING chain`,
    { chain, openedAt, beforeN, beforeMac, mac, sealed },
  );
}

/** The head of a chain, whose row is locked. */
export function findHead(chain: number): Query<{ readonly sealed: Buffer }> {
  return ask(locked('SELECT sealed_head AS sealed FROM audit_chains WHERE chain = :chain'), { chain });
}

const ADVANCE = `UPDATE audit_chains SET n = :n, sealed_head = :sealed
  WHERE chain = :chain AND sealed_head = :known`;

/** Puts a head in the place of the one that is known. Lost if the chain has another one by now. */
export function advanceHead(known: SealedHead, { n, sealed }: SealedHead): Decision<object> {
  return decide(ADVANCE, { chain: known.chain, n, sealed, known: known.sealed });
}

/** The same together with its entries: in PostgreSQL one statement, and so one round trip. */
export function advanceWithEntries(
  known: SealedHead,
  next: SealedHead,
  entries: readonly PlacedEntry[],
): Query<object> {
  const { text, values } = insertion(entries, 'FROM head');
  return ask(`WITH head AS (${ADVANCE} RETURNING chain) ${text} RETURNING chain`, {
    ...values,
    n: next.n,
    sealed: next.sealed,
    known: known.sealed,
  });
}

/** All chains in their order, chain 0 first. */
export function listChains(): Query<ChainRow> {
  return ask(
    `SELECT chain, opened_at AS "openedAt", before_n AS "beforeN", before_mac AS "beforeMac", mac, n,
       sealed_head AS sealed FROM audit_chains ORDER BY chain`,
  );
}

/** Entries of a chain that were removed on purpose, `firstN` to `lastN`; the next entry follows on `lastMac`. */
export interface Gap {
  readonly chain: number;
  readonly firstN: number;
  readonly lastN: number;
  readonly lastMac: string;
  readonly mac: string;
}

/** The gaps behind one place and before another. Between two entries there is one at most. */
export function listGapsBetween(
  after: Pick<ChainHead, 'chain' | 'n'>,
  before: Pick<ChainHead, 'chain' | 'n'>,
): Query<Gap> {
  return ask(
    `SELECT chain, first_n AS "firstN", last_n AS "lastN", last_mac AS "lastMac", mac FROM audit_gaps
     WHERE (chain, first_n) > (:chain, :n) AND (chain, first_n) < (:beforeChain, :beforeN)`,
    { chain: after.chain, n: after.n, beforeChain: before.chain, beforeN: before.n },
  );
}

export function keepGap({ chain, firstN, lastN, lastMac, mac }: Gap): Effect {
  return effect(
    `INSERT INTO audit_gaps (chain, first_n, last_n, last_mac, mac)
     VALUES (:chain, :firstN, :lastN, :lastMac, :mac)`,
    { chain, firstN, lastN, lastMac, mac },
  );
}

/** Drops the gaps that lie in another one. */
export function dropGaps({ chain, firstN, lastN }: Omit<Gap, 'mac'>): Effect {
  return effect('DELETE FROM audit_gaps WHERE chain = :chain AND first_n BETWEEN :firstN AND :lastN', {
    chain,
    firstN,
    lastN,
  });
}

/** The key of macs whose ring key was retired, sealed with the identity `audit-key:<key id>`. */
export interface KeptAuditKey {
  readonly keyId: string;
  readonly sealed: Buffer;
}

export function keepAuditKey({ keyId, sealed }: KeptAuditKey): Effect {
  return effect(
    'INSERT INTO audit_keys (key_id, sealed_key) VALUES (:keyId, :sealed) ON CONFLICT (key_id) DO NOTHING',
    { keyId, sealed },
  );
}

export function listAuditKeys(): Query<KeptAuditKey> {
  return ask('SELECT key_id AS "keyId", sealed_key AS sealed FROM audit_keys');
}

function locked(text: string) {
  return { sqlite: text, postgres: `${text} FOR UPDATE` };
}
