import type { LimitName } from '../matrix/outcome.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Clock } from '../system/clock.ts';
import { type Rate, RateLimit } from './rate_limit.ts';

/** How many attempts of one key may wait for others of that key to end. */
const MOST_WAITING = 1000;

/** The attempts of one key that are under way. */
interface UnderWay {
  attempts: number;
  /** Attempts that wait until one of these ends. */
  readonly waiting: (() => void)[];
}

/** An attempt that is under way. */
export interface BegunAttempt {
  /** Ends it, once. @param counts whether it failed; an attempt that did not is given back */
  end(counts: boolean): void;
}

/** Whether an attempt that broke off counts: not where the homeserver or the store is out of order. */
export function countsAsFailed(error: unknown): boolean {
  return error instanceof Refusal && error.status < 500;
}

/** A limit on failed attempts, for each key; an attempt that succeeds does not count, also among many at once. */
export class AttemptLimit {
  private readonly limit: RateLimit;
  private readonly underWay = new Map<string, UnderWay>();

  constructor(rate: Rate, clock: Clock, name: LimitName) {
    this.limit = new RateLimit(rate, clock, name);
  }

  /**
   * Takes one attempt of the key, and gives it back if the attempt succeeds or finds the homeserver or the store out
   * of order. While others that are under way have what is left, it waits for what becomes of them.
   * @throws Refusal `limit_exceeded` if there were too many; whatever `act` throws
   */
  async attempt<T>(key: string, act: () => Promise<T>, hasSucceeded: (result: T) => boolean): Promise<T> {
    const begun = await this.begin(key);
    let counts = true;
    try {
      const result = await act();
      counts = !hasSucceeded(result);
      return result;
    } catch (error) {
      counts = countsAsFailed(error);
      throw error;
    } finally {
      begun.end(counts);
    }
  }

  /** Takes one attempt of the key; `end` must follow, whatever becomes of it. @throws Refusal `limit_exceeded` */
  async begin(key: string): Promise<BegunAttempt> {
    await this.take(key);
    return {
      end: (counts) => {
        if (!counts) this.limit.giveBack(key);
        this.end(key);
      },
    };
  }

  /**
   * Takes one more for an attempt that is under way and turns out to be two. It does not wait, or it would wait for
   * itself, and it is not given back.
   * @throws Refusal `limit_exceeded` if there is none left
   */
  takeFurther(key: string): void {
    this.limit.take(key);
  }

  private async take(key: string): Promise<void> {
    let others = this.underWay.get(key);
    while (this.limit.isEmpty(key) && others !== undefined && others.waiting.length < MOST_WAITING) {
      const { waiting } = others;
      await new Promise<void>((resolve) => waiting.push(resolve));
      others = this.underWay.get(key);
    }
    this.limit.take(key);
    if (others === undefined) this.underWay.set(key, { attempts: 1, waiting: [] });
    else others.attempts += 1;
  }

  private end(key: string): void {
    const others = this.underWay.get(key);
    if (others === undefined) return;
    others.attempts -= 1;
    if (others.attempts === 0) this.underWay.delete(key);
    for (const wake of others.waiting.splice(0)) wake();
  }
}
