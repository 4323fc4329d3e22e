/** What a request costs beside the bytes of its body: its headers, its connection. */
const BYTES_OF_A_REQUEST = 16 * 1024;

/** The part that one unfinished body has in the budget. */
export interface BodyShare {
  /** More of the body has arrived. */
  add(bytes: number): void;
  /** The body is finished, or given up. */
  end(): void;
}

/**
 * The memory that all unfinished bodies of gated requests share (attack 123). When it is used up, the body that has
 * been under way longest is given up: an honest client sends a body of this size at once.
 */
export class BodyBudget {
  /** In the order in which they began. */
  private readonly shares = new Map<BodyShare, { bytes: number; readonly giveUp: () => void }>();
  private total = 0;

  constructor(private readonly mostBytes: number) {}

  /** @param giveUp ends the body; `end` is called for it by then */
  begin(giveUp: () => void): BodyShare {
    const share: BodyShare = { add: (bytes) => this.add(share, bytes), end: () => this.end(share) };
    this.shares.set(share, { bytes: 0, giveUp });
    this.add(share, BYTES_OF_A_REQUEST);
    return share;
  }

  private add(share: BodyShare, bytes: number): void {
    const held = this.shares.get(share);
    if (held === undefined) return;
    held.bytes += bytes;
    this.total += bytes;
    while (this.total > this.mostBytes) this.giveUpOldest();
  }

  private giveUpOldest(): void {
    for (const [share, { giveUp }] of this.shares) {
      this.end(share);
      giveUp();
      return;
    }
  }

  private end(share: BodyShare): void {
    this.total -= this.shares.get(share)?.bytes ?? 0;
    this.shares.delete(share);
  }
}
