import { Refusal } from '../../matrix/refusals.ts';

/** What a client is told to wait when the queue is full, in ms. */
const RETRY_AFTER_MS = 1000;

/** Runs costly work, a few pieces at once and in order, and refuses what it could not get to soon. */
export class BoundedQueue {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly atOnce: number,
    private readonly longestQueue: number,
  ) {}

  /**
   * Runs `work` when it is its turn.
   * @throws Refusal `limit_exceeded` if too many are waiting already.
   */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    await this.turn();
    try {
      return await work();
    } finally {
      this.passOn();
    }
  }

  /**
   * Refuses what would find no room, before anything else is done for it.
   * @throws Refusal `limit_exceeded` if too many are waiting.
   */
  requireRoom(): void {
    if (this.running < this.atOnce || this.waiting.length < this.longestQueue) return;
    throw new Refusal('limit_exceeded', { retryAfterMs: RETRY_AFTER_MS });
  }

  private async turn(): Promise<void> {
    if (this.running < this.atOnce) {
      this.running += 1;
      return;
    }
    this.requireRoom();
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }

  /** The turn goes to the next in line as it is, so that nobody gets in between. */
  private passOn(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.running -= 1;
  }
}
