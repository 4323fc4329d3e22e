import { Refusal } from '../matrix/refusals.ts';
import { MINUTE } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { UnderWay } from '../system/under_way.ts';
import type { HomeserverAnswer, WhenLate } from './homeserver.ts';

/** How long a homeserver may take to answer a request that nobody waits for any more. */
export const LATE_AFTER_ALL_MS = 5 * MINUTE;

/**
 * Requests that may make a login run on when their client has been told that the homeserver is slow: what it grants
 * later must not live (attack 164).
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
    let giveUp: () => void = () => undefined;
    const late = new Promise<undefined>((resolve) => {
      giveUp = () => resolve(undefined);
    });
    this.waiting.add(giveUp);
    const answered = ask(() => {
      timer = setTimeout(giveUp, this.timeMs);
      if (this.closing) giveUp();
    });
    try {
      const answer = await Promise.race([answered, late]);
      if (answer !== undefined) return answer;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(giveUp);
    }
    this.follow(answered, whenLate).catch(() => undefined);
    throw new Refusal('homeserver_slow');
  }

  /** Nobody waits any more, from now on: resolves once every answer has come, or never will. */
  async close(): Promise<void> {
    this.closing = true;
    for (const giveUp of this.waiting) giveUp();
    // Those who waited take a turn to hear it.
    await new Promise(setImmediate);
    await this.underWay.settled();
  }

  private follow(answered: Promise<HomeserverAnswer>, whenLate: WhenLate): Promise<void> {
    return this.underWay.track(
      answered.then(whenLate).catch((error: unknown) => {
        this.log.debug({ err: error }, 'a request that nobody waited for came to nothing');
      }),
    );
  }
}
