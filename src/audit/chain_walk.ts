import type { AuditRecord, ChainHead } from '../storage/chain.ts';
import type { ChainedRow } from '../storage/tables/audit.ts';
import type { ChainRow, Gap } from '../storage/tables/audit_chains.ts';
import { type AuditKey, entryMac, gapMac, keyIdOf, openingMac, shortenedMac } from './macs.ts';

/** The first thing that is not as it was written. `n` is 0 where it is a chain, or the count of them (chain 0). */
export interface Fault {
  readonly chain: number;
  readonly n: number;
  readonly what: 'changed' | 'missing' | 'added';
}

/** The keys that the macs were made with. */
export interface MacKeys {
  /** For the id of a key that is missing it answers another key, with which no mac is right. */
  keyOf(keyId: string): AuditKey;
  /** Undefined if it does not open. */
  openHead(chain: number, sealed: Buffer): ChainHead | undefined;
}

export interface Compared {
  readonly keys: MacKeys;
  /** The macs of an export, by place. */
  readonly exported: ReadonlyMap<string, string>;
}

/** Where a walk stands in a chain. */
interface Standing {
  readonly row: ChainRow;
  readonly head: ChainHead;
  /** The next entry, and the mac that it follows on. */
  next: number;
  before: string;
  /** The `number` of the entry before. */
  number: number;
}

/** Walks through all chains, entry by entry, in their order. */
export class ChainWalk {
  /** Entries that were looked at. */
  entries = 0;
  private at = -1;
  private standing: Standing | undefined;
  private gaps: ReadonlyMap<string, Gap> = new Map();
  private readonly unseen: Unseen;

  constructor(
    private readonly chains: readonly ChainRow[],
    private readonly compared: Compared,
  ) {
    this.unseen = new Unseen(compared.exported);
  }

  /** The gaps between the last entry and the last of the next ones. */
  gapsAre(gaps: readonly Gap[]): void {
    this.gaps = new Map(gaps.map((gap) => [`${gap.chain} ${gap.firstN}`, gap]));
  }

  /** The next entry, by chain and `n`. */
  take(row: ChainedRow): Fault | undefined {
    while (this.standing?.row.chain !== row.chain) {
      const fault = this.finish() ?? this.begin();
      if (fault !== undefined) return fault;
      if (this.standing === undefined || this.standing.row.chain > row.chain) return at(row, 'added');
    }
    return this.skipGaps(this.standing, row.n - 1) ?? this.look(this.standing, row);
  }

  /** No entry is left. */
  end(): Fault | undefined {
    do {
      const fault = this.finish() ?? this.begin();
      if (fault !== undefined) return fault;
    } while (this.standing !== undefined);
    const place = this.unseen.first();
    return place && { ...place, what: 'missing' };
  }

  private begin(): Fault | undefined {
    this.at += 1;
    const row = this.chains[this.at];
    this.standing = undefined;
    if (row === undefined) return undefined;
    const { keys } = this.compared;
    const head = keys.openHead(row.chain, row.sealed);
    const isOpened = openingMac(keys.keyOf(keyIdOf(row.mac)), row) === row.mac;
    if (!isOpened || head?.n !== row.n) return { chain: row.chain, n: 0, what: 'changed' };
    this.standing = { row, head, next: 1, before: row.mac, number: 0 };
    return this.linked(this.standing);
  }

  /** The rest of a chain. */
  private finish(): Fault | undefined {
    const { standing } = this;
    if (standing === undefined) return undefined;
    const { row, head } = standing;
    const fault = this.skipGaps(standing, head.n);
    if (fault !== undefined) return fault;
    if (standing.before !== head.mac) return { chain: row.chain, n: head.n, what: 'changed' };
    const link = this.chains[this.at + 1];
    if (link !== undefined && link.beforeN > head.n)
      return { chain: row.chain, n: head.n + 1, what: 'missing' };
    return undefined;
  }

  /** Goes on over what was removed on purpose, as far as `until`. */
  private skipGaps(standing: Standing, until: number): Fault | undefined {
    const { chain } = standing.row;
    while (standing.next <= until) {
      const gap = this.gaps.get(`${chain} ${standing.next}`);
      if (gap === undefined) return { chain, n: standing.next, what: 'missing' };
      const isSound = gapMac(this.compared.keys.keyOf(keyIdOf(gap.mac)), gap) === gap.mac;
      if (!isSound || gap.lastN < gap.firstN) return { chain, n: gap.firstN, what: 'changed' };
      this.unseen.pass(gap);
      standing.next = gap.lastN + 1;
      standing.before = gap.lastMac;
      const fault = this.linked(standing);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  private look(standing: Standing, row: ChainedRow): Fault | undefined {
    const { n } = row;
    if (n < standing.next || n > standing.head.n) return at(row, 'added');
    if (!this.isAsWritten(standing, row)) return at(row, 'changed');
    this.entries += 1;
    if ((this.unseen.take(row) ?? row.mac) !== row.mac) return at(row, 'changed');
    Object.assign(standing, { next: n + 1, before: row.mac, number: row.number });
    return this.linked(standing);
  }

  private isAsWritten({ before, number }: Standing, row: ChainedRow): boolean {
    const key = this.compared.keys.keyOf(keyIdOf(row.mac));
    const { address, addressDigest, addressMac } = row;
    const isWhole = addressDigest === null && addressMac === null;
    if (!isWhole && addressMac !== this.shortened(row, address ?? '', addressDigest ?? '')) return false;
    const detail = factsIn(row.detail);
    if (detail === undefined || row.number <= number) return false;
    return entryMac(key, { ...row, detail }, row, before) === row.mac;
  }

  private shortened(row: ChainedRow, network: string, digest: string): string {
    return shortenedMac(this.compared.keys.keyOf(keyIdOf(row.addressMac ?? '')), row, network, digest);
  }

  /** What the next chain says of where this one stood when it began. */
  private linked({ row, next, before }: Standing): Fault | undefined {
    const link = this.chains[this.at + 1];
    const isThere = link !== undefined && link.beforeN === next - 1 && link.beforeMac !== '';
    return isThere && link.beforeMac !== before
      ? { chain: row.chain, n: next - 1, what: 'changed' }
      : undefined;
  }
}

function at({ chain, n, number }: ChainedRow, what: Fault['what']): Fault {
  return chain > 0 ? { chain, n, what } : { chain: 0, n: number, what };
}

/** Undefined where they are not as we write them: names, and texts, numbers, true or false. */
function factsIn(detail: string): AuditRecord['detail'] | undefined {
  const facts: unknown = JSON.parse(detail);
  if (typeof facts !== 'object' || facts === null || Array.isArray(facts)) return undefined;
  return Object.values(facts).some((fact) => typeof fact === 'object') ? undefined : { ...facts };
}

/** The entries of an export that were not met yet. */
class Unseen {
  private readonly chains = new Map<number, Map<number, string>>();

  /** @param exported macs by place */
  constructor(exported: ReadonlyMap<string, string>) {
    for (const [place, mac] of exported) {
      const [chain = 0, n = 0] = place.split(' ').map(Number);
      const macs = this.chains.get(chain) ?? new Map<number, string>();
      this.chains.set(chain, macs.set(n, mac));
    }
  }

  /** The mac of an entry, which is seen now; undefined if it is not in the export. */
  take({ chain, n }: Pick<ChainedRow, 'chain' | 'n'>): string | undefined {
    const macs = this.chains.get(chain);
    const mac = macs?.get(n);
    macs?.delete(n);
    return mac;
  }

  /** Those in a gap count as seen: as many steps as the gap has entries, and no more than the export has of its chain. */
  pass({ chain, firstN, lastN }: Gap): void {
    const macs = this.chains.get(chain) ?? new Map<number, string>();
    if (lastN - firstN < macs.size) for (let n = firstN; n <= lastN; n += 1) macs.delete(n);
    else for (const n of macs.keys()) if (n >= firstN && n <= lastN) macs.delete(n);
  }

  first(): Pick<ChainedRow, 'chain' | 'n'> | undefined {
    for (const [chain, macs] of this.chains) for (const n of macs.keys()) return { chain, n };
    return undefined;
  }
}
