/** How much a queue lets through and lets wait. */
export interface FairQueueOptions {
  /** How much runs at once. */
  readonly atOnce: number;
  /** How much waits, of all parties together. */
  readonly waiting: number;
  /** How much waits from one source, e.g. from one network for one user; by default as much as waits at all. */
  readonly waitingFromSource?: number;
  /** The error for work that finds no room. */
  readonly full: () => Error;
}

/** Whose work it is. */
export interface Turn {
  /** Parties are served by turns, whatever each of them has waiting. */
  readonly party: string;
  /** Where it comes from; by default from the party itself. */
  readonly source?: string;
  /** Ends the waiting: the work is refused with the signal's reason. What runs already is not stopped. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the waiting after this time, with the error that `late` makes. */
  readonly patience?: { readonly ms: number; readonly late: () => Error };
}

interface Waiting {
  readonly party: string;
  readonly source: string;
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * Runs costly work, a bounded amount at once. Waiting parties are served in turn, one piece of work each, so that much
 * work of one party delays another by one piece. Where there is no room left, the party with the most waiting work
 * loses a piece to one with less.
 */
export class FairQueue {
  private running = 0;
  private size = 0;
  /** In the order of their turns; each of them has work. */
  private readonly parties = new Map<string, Waiting[]>();
  private readonly fromSource = new Map<string, number>();

  constructor(private readonly options: FairQueueOptions) {}

  /** How much waits now. */
  get waiting(): number {
    return this.size;
  }

  /**
   * Runs `work` when it is its turn.
   * @throws what `full` makes, if there is no room; the reason of `turn.signal`, or what `turn.patience` makes, if that
   *   ends the waiting
   */
  async run<Result>(turn: Turn, work: () => Promise<Result>): Promise<Result> {
    await this.begin(turn);
    try {
      return await work();
    } finally {
      this.passOn();
    }
  }

  /**
   * Refuses what would find no room, before anything else is done for it.
   * @throws what `full` makes
   */
  requireRoom(turn: Turn): void {
    if (!this.hasRoom(turn)) throw this.options.full();
  }

  private hasRoom(turn: Turn): boolean {
    const { atOnce, waiting, waitingFromSource = waiting } = this.options;
    if (this.running < atOnce) return true;
    if ((this.fromSource.get(sourceOf(turn)) ?? 0) >= waitingFromSource) return false;
    return this.size < waiting || this.givesWayTo(turn.party) !== undefined;
  }

  private async begin(turn: Turn): Promise<void> {
    turn.signal?.throwIfAborted();
    this.requireRoom(turn);
    if (this.running < this.options.atOnce) {
      this.running += 1;
      return;
    }
    if (this.size >= this.options.waiting) this.makeRoomFor(turn.party);
    await this.wait(turn);
  }

  private wait(turn: Turn): Promise<void> {
    const { party, signal, patience } = turn;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
        act();
      };
      const giveUp = (reason: unknown) => {
        this.remove(waiting);
        waiting.refuse(reason);
      };
      const stop = () => giveUp(signal?.reason);
      const timer = patience && setTimeout(() => giveUp(patience.late()), patience.ms);
      const waiting: Waiting = {
        party,
        source: sourceOf(turn),
        start: () => settle(resolve),
        refuse: (reason) => settle(() => reject(reason)),
      };
      signal?.addEventListener('abort', stop, { once: true });
      this.add(waiting);
    });
  }

  /** The free place goes directly to the next in line, so that new work cannot take it first. */
  private passOn(): void {
    const [first] = this.parties.values();
    const next = first?.[0];
    if (next === undefined) {
      this.running -= 1;
      return;
    }
    this.remove(next);
    this.toTheEnd(next.party);
    next.start();
  }

  private toTheEnd(party: string): void {
    const line = this.parties.get(party);
    if (line === undefined) return;
    this.parties.delete(party);
    this.parties.set(party, line);
  }

  /** Drops the latest work of the party with the most waiting work. */
  private makeRoomFor(party: string): void {
    const last = this.givesWayTo(party)?.at(-1);
    if (last === undefined) return;
    this.remove(last);
    last.refuse(this.options.full());
  }

  /** The line of the party that has most waiting, if `party` would have less than that even with one more. */
  private givesWayTo(party: string): Waiting[] | undefined {
    let longest: Waiting[] = [];
    for (const line of this.parties.values()) if (line.length > longest.length) longest = line;
    const own = this.parties.get(party)?.length ?? 0;
    return own + 1 < longest.length ? longest : undefined;
  }

  private add(waiting: Waiting): void {
    const { party, source } = waiting;
    this.parties.set(party, [...(this.parties.get(party) ?? []), waiting]);
    this.fromSource.set(source, (this.fromSource.get(source) ?? 0) + 1);
    this.size += 1;
  }

  private remove(waiting: Waiting): void {
    const { party, source } = waiting;
    const rest = this.parties.get(party)?.filter((other) => other !== waiting) ?? [];
    if (rest.length > 0) this.parties.set(party, rest);
    else this.parties.delete(party);
    const left = (this.fromSource.get(source) ?? 0) - 1;
    if (left > 0) this.fromSource.set(source, left);
    else this.fromSource.delete(source);
    this.size -= 1;
  }
}

function sourceOf({ party, source = party }: Turn): string {
  return source;
}
