import type { Query } from '../storage/statement.ts';
import { type ChainedRow, countUnchained, listChained } from '../storage/tables/audit.ts';
import { type ChainRow, listChains, listGapsBetween } from '../storage/tables/audit_chains.ts';
import { ChainWalk, type Fault, type MacKeys } from './chain_walk.ts';

const READ_AT_ONCE = 1000;
/** Before every entry, also of chains that there cannot be. */
const BEGINNING = { chain: Number.MIN_SAFE_INTEGER, n: 0 };
/** Behind every entry. */
const END = { chain: Number.MAX_SAFE_INTEGER, n: 0 };

/** What was found: how much there is, and the first thing that is not as it was written. */
export interface Verdict {
  readonly entries: number;
  readonly chains: number;
  /** Entries from before there were chains: nothing protects them. */
  readonly unprotected: number;
  readonly fault: Fault | undefined;
}

export interface VerificationDeps {
  /** Asks questions that are all answered from one state of the database. */
  read<Row>(query: Query<Row>): Promise<Row[]>;
  readonly keys: MacKeys;
  /** The macs of an export by `placeName`; those of entries that were removed because of their age may be among them. */
  readonly exported: ReadonlyMap<string, string>;
}

/** Looks at every entry of every chain, and at what an export says of them. */
export async function verifyAudit({ read, keys, exported }: VerificationDeps): Promise<Verdict> {
  const rows = await read(listChains());
  const { chains, until, fault } = countedChains(rows, keys);
  const [unchained] = await read(countUnchained(until));
  const verdict = { chains: chains.length, unprotected: unchained?.count ?? 0 };
  if (fault !== undefined) return { ...verdict, entries: 0, fault };
  const walk = new ChainWalk(chains, { keys, exported });
  const found = await walkAll(walk, read);
  return { ...verdict, entries: walk.entries, fault: found ?? addedOutside(unchained?.firstAfter) };
}

async function walkAll(walk: ChainWalk, read: VerificationDeps['read']): Promise<Fault | undefined> {
  for (let after = BEGINNING; ; ) {
    const batch: ChainedRow[] = await read(listChained(after, READ_AT_ONCE));
    const last = batch.at(-1);
    // There can be as many gaps as entries.
    walk.gapsAre(await read(listGapsBetween(after, last ?? END)));
    for (const row of batch) {
      const fault = walk.take(row);
      if (fault !== undefined) return fault;
    }
    if (last === undefined) return walk.end();
    after = last;
  }
}

/** The chains, if all are there that were begun; `until` is the number of the last entry before the first of them. */
function countedChains(rows: readonly ChainRow[], keys: MacKeys) {
  const [count] = rows.filter(({ chain }) => chain === 0);
  const chains = rows.filter(({ chain }) => chain > 0);
  if (count === undefined) {
    const [first] = chains;
    const fault: Fault | undefined = first && { chain: 0, n: 0, what: 'missing' };
    return { chains, until: Number.MAX_SAFE_INTEGER, fault };
  }
  const head = keys.openHead(0, count.sealed);
  if (head?.n !== count.n) return { chains, until: 0, fault: { chain: 0, n: 0, what: 'changed' } as Fault };
  const missing = Array.from({ length: head.n }, (_, at) => at + 1).find(
    (chain, at) => chains[at]?.chain !== chain,
  );
  const added = chains[head.n];
  const until = Number(head.mac);
  if (missing !== undefined)
    return { chains, until, fault: { chain: missing, n: 0, what: 'missing' } as Fault };
  const fault: Fault | undefined = added && { chain: added.chain, n: 0, what: 'added' };
  return { chains, until, fault };
}

function addedOutside(number: number | null | undefined): Fault | undefined {
  return typeof number === 'number' ? { chain: 0, n: number, what: 'added' } : undefined;
}

/** A place as a key of a map. */
export function placeName({ chain, n }: { readonly chain: number; readonly n: number }): string {
  return `${chain} ${n}`;
}
