import { Refusal } from '../matrix/refusals.ts';
import { MINUTE } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { UnderWay } from '../system/under_way.ts';
import type { HomeserverAnswer, WhenLate } from './homeserver.ts';

/** How long a homeserver may take to answer a request whose client was told that it took too long. */
export const LATE_AFTER_ALL_MS = 5 * MINUTE;

/**
 * Requests that may make a login run on after their client was told that the homeserver is slow, so that what it
 * grants later can be logged out (attack 164); those that change an account likewise, so that what follows from it does
 * (attack 371).
 */
export class LateAnswers {
  private readonly underWay = new UnderWay();
  private readonly waiting = new Set<() => void>();
  private closing = false;

  constructor(
    private readonly timeMs: number,
    private readonly log: Log,
  ) {}

  /**
   * @param ask makes the request; `sent` is to be called when it goes out, which is when its time begins
   * @throws Refusal homeserver_slow after its time, or when everything is being closed
   */
  async inTime(
    ask: (sent: () => void) => Promise<HomeserverAnswer>,
    whenLate: WhenLate,
  ): Promise<HomeserverAnswer> {
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    let giveUp: () => void = () => undefined;
    const late = new Promise<undefined>((resolve) => {
      giveUp = () => resolve(undefined);
    });
    this.waiting.add(giveUp);
    const answered = ask(() => {
      // Given up while it still waited for its turn.
      if (isOver) return;
      timer = setTimeout(giveUp, this.timeMs);
      if (this.closing) giveUp();
    });
    try {
      const answer = await Promise.race([answered, late]);
      if (answer !== undefined) return answer;
    } finally {
      isOver = true;
      clearTimeout(timer);
      this.waiting.delete(giveUp);
    }
    this.follow(answered, whenLate).catch(() => undefined);
    throw new Refusal('homeserver_slow');
  }

  /** Resolves once every answer has come, or never will; what comes later is not waited for. */
  async close(): Promise<void> {
    this.closing = true;
    for (const giveUp of this.waiting) giveUp();
    // Those who wait learn of it one turn of the event loop later.
    await new Promise(setImmediate);
    await this.underWay.settled();
  }

  private follow(answered: Promise<HomeserverAnswer>, whenLate: WhenLate): Promise<void> {
    return this.underWay.track(
      answered.then(whenLate).catch((error: unknown) => {
        this.log.debug({ err: error }, 'a request that no one waited for came to nothing');
      }),
    );
  }
}
