import type { AuditRecord, Chain, ChainHead, SealedHead } from './chain.ts';
import { StoreUnavailable } from './errors.ts';
import type { Decision, Effect, Entry, Query } from './statement.ts';
import { insertEntries, type PlacedEntry } from './tables/audit.ts';
import {
  advanceHead,
  advanceWithEntries,
  beginChain,
  countChains,
  findCount,
  findHead,
  findLastChain,
  keepCount,
  lastUnchained,
} from './tables/audit_chains.ts';

/** The head is read again where another unit of this process was undone or its outcome is unknown. */
const TRIES = 3;
/** Entries of one statement: a database takes only so many values. */
const AT_ONCE = 50;

/** What is asked and written, one after the other. Answered with rows: a decision with one if it was won, a write with none. */
type Asking<Result> = Generator<Query<object> | Decision<object> | Effect, Result, readonly object[]>;

/**
 * Writes the entries of a unit, as the last of it, in the transaction that is open: the rows that it writes here are
 * locked after all others, and no longer than the commit takes. The driver answers what is asked.
 *
 * An entry counts on from the head that is known in memory, on the condition that the database has exactly that one:
 * after a unit that was undone, or whose outcome is unknown, it does not, and the head is read from the database.
 * @param together whether one statement can change two tables: then the entries of a unit take one round trip
 */
export function* entering(entries: readonly Entry[], together: boolean): Asking<void> {
  for (const chain of new Set(entries.map((entry) => entry.chain))) {
    const records = entries.filter((entry) => entry.chain === chain).map(({ record }) => record);
    for (let from = 0; from < records.length; from += AT_ONCE) {
      yield* enter(chain, records.slice(from, from + AT_ONCE), together);
    }
  }
}

function* enter(chain: Chain, records: readonly AuditRecord[], together: boolean): Asking<void> {
  const openedAt = records[0]?.at ?? 0;
  let known = chain.head ?? (yield* openChain(chain, openedAt));
  for (let tried = 0; tried < TRIES; tried += 1) {
    const { seals } = chain;
    const entries = placed(chain, known, records);
    const head = entries.at(-1)?.place ?? known;
    const next = { ...head, sealed: seals.seal(head) };
    const written = yield together ? advanceWithEntries(known, next, entries) : advanceHead(known, next);
    if (written.length > 0) {
      if (!together) yield insertEntries(entries);
      chain.head = next;
      return;
    }
    known = (yield* readHead(chain, known.chain)) ?? (yield* openChain(chain, openedAt));
  }
  throw new StoreUnavailable(new Error('the head of the audit chain changes all the time'));
}

/** The places of entries that follow on a head, each with the mac that binds it to the one before. */
function placed({ seals }: Chain, known: ChainHead, records: readonly AuditRecord[]): PlacedEntry[] {
  let before = known;
  return records.map((record) => {
    const at = { chain: before.chain, n: before.n + 1 };
    before = { ...at, mac: seals.entryMac(record, at, before.mac) };
    return { record, place: before };
  });
}

/** Undefined if the chain is gone or its head does not open: what is left of it stays as it is, for `audit verify`. */
function* readHead({ seals }: Chain, chain: number): Asking<SealedHead | undefined> {
  const [row] = yield* rowsOf(findHead(chain));
  const head = row && seals.open(chain, row.sealed);
  return row && head && { ...head, sealed: row.sealed };
}

/**
 * Begins a chain, after the newest entry of the one before. Chain 0 has no entries: it says how many chains there are,
 * and which entries are from before the first one. Its row is locked, so that chains begin one after the other.
 */
function* openChain({ seals }: Chain, at: number): Asking<SealedHead> {
  const count = yield* lockCount({ seals });
  const [last] = yield* rowsOf(findLastChain());
  const chain = Math.max(count.n, last?.chain ?? 0) + 1;
  const before = last?.chain === chain - 1 ? seals.open(last.chain, last.sealed) : undefined;
  const opening = { chain, openedAt: at, beforeN: before?.n ?? 0, beforeMac: before?.mac ?? '' };
  const head = { chain, n: 0, mac: seals.openingMac(opening) };
  const begun = { ...head, sealed: seals.seal(head) };
  yield beginChain(opening, begun);
  const counted = seals.open(0, count.sealed);
  // One that does not open is not sealed again: it would look as if it had never been changed.
  yield keepCount(chain, counted ? seals.seal({ ...counted, n: chain }) : count.sealed);
  return begun;
}

function* lockCount({
  seals,
}: Pick<Chain, 'seals'>): Asking<{ readonly n: number; readonly sealed: Buffer }> {
  const [found] = yield* rowsOf(findCount());
  if (found !== undefined) return found;
  const [unchained] = yield* rowsOf(lastUnchained());
  const none = { chain: 0, n: 0, mac: String(unchained?.number ?? 0) };
  yield countChains(seals.seal(none));
  const [made] = yield* rowsOf(findCount());
  if (made === undefined) throw new StoreUnavailable(new Error('the audit chains cannot be counted'));
  return made;
}

function* rowsOf<Row extends object>(query: Query<Row>): Asking<readonly Row[]> {
  return (yield query) as readonly Row[];
}
