/** One entry of the audit: what happened to whose account, by whom, from where. Never a secret. */
export interface AuditRecord {
  readonly at: number;
  /** Empty where it is about no user. */
  readonly userId: string;
  /** e.g. `totp.enabled`, `recovery.used`, `operator.reset`. */
  readonly event: string;
  /** `user`, `operator:<OS user>`, `homeserver`, `system`; null in entries from before there were chains. */
  readonly actor: string | null;
  readonly address: string | null;
  readonly deviceId: string | null;
  readonly requestId: string | null;
  /** Further facts, without secrets. */
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

/** The last entry of a chain, `n` of them; 0 and the mac of its beginning while it has none. */
export interface ChainHead {
  readonly chain: number;
  readonly n: number;
  readonly mac: string;
}

/** How a chain begins: after which entry of the chain before. */
export interface ChainOpening {
  readonly chain: number;
  readonly openedAt: number;
  readonly beforeN: number;
  readonly beforeMac: string;
}

/** What only those with the keys can make: the macs of a chain, and its sealed head. */
export interface ChainSeals {
  entryMac(record: AuditRecord, place: Pick<ChainHead, 'chain' | 'n'>, before: string): string;
  openingMac(opening: ChainOpening): string;
  seal(head: ChainHead): Buffer;
  /** Undefined if it is not a sealed head of this chain. */
  open(chain: number, sealed: Buffer): ChainHead | undefined;
}

/** A head as it stands in the database. */
export interface SealedHead extends ChainHead {
  readonly sealed: Buffer;
}

/**
 * The chain of one process, or of one command. It begins with the first entry. What it keeps in memory saves a
 * question and nothing else: the database has the chain, and each write of its head demands the head that is known.
 */
export class Chain {
  /** As it was written last; the unit that wrote it may have been undone. */
  head: SealedHead | undefined;
  private last: Promise<void> = Promise.resolve();

  constructor(readonly seals: ChainSeals) {}

  /** Waits until no other unit of this process writes its entries. @returns ends this turn */
  async turn(): Promise<() => void> {
    const before = this.last;
    let end = () => {};
    this.last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }
}
