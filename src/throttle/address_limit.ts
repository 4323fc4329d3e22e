import type { ClientAddress } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Clock } from '../system/clock.ts';
import { type Rate, RateLimit } from './rate_limit.ts';

/** How many attempts of one address wait for others of it to end. */
const MOST_WAITING = 1000;

/** The attempts of one network that are under way. */
interface UnderWay {
  attempts: number;
  /** Those who wait until one of them ends. */
  readonly waiting: (() => void)[];
}

/**
 * The limit on attempts from one address, so that nobody tries many accounts from one place. Only what fails counts:
 * hundreds of people behind one address who sign in rightly do not meet it (attack 142).
 */
export class AddressLimit {
  private readonly limit: RateLimit;
  private readonly underWay = new Map<string, UnderWay>();

  constructor(rate: Rate, clock: Clock) {
    this.limit = new RateLimit(rate, clock);
  }

  /**
   * Takes one attempt of the client's address, as far as trusted hops can tell it (attack 81), and gives it back if
   * the attempt succeeds or finds the homeserver or the store out of order. While others that are under way have
   * what is left, it waits for what becomes of them.
   * @throws Refusal `limit_exceeded` if there were too many; whatever `act` throws
   */
  async attempt<T>(
    client: ClientAddress,
    act: () => Promise<T>,
    hasSucceeded: (result: T) => boolean,
  ): Promise<T> {
    const network = networkOf(client.ip);
    await this.take(network);
    let counts = true;
    try {
      const result = await act();
      counts = !hasSucceeded(result);
      return result;
    } catch (error) {
      counts = error instanceof Refusal && error.status < 500;
      throw error;
    } finally {
      if (!counts) this.limit.giveBack(network);
      this.end(network);
    }
  }

  /**
   * Takes one more for an attempt that is under way and turns out to be two. It waits for nothing, or it would wait
   * for itself, and it is not given back.
   * @throws Refusal `limit_exceeded` if there is none left
   */
  takeFurther(client: ClientAddress): void {
    this.limit.take(networkOf(client.ip));
  }

  /** An exception for somebody who is known belongs here. */
  private async take(network: string): Promise<void> {
    let others = this.underWay.get(network);
    while (this.limit.isEmpty(network) && others !== undefined && others.waiting.length < MOST_WAITING) {
      const { waiting } = others;
      await new Promise<void>((resolve) => waiting.push(resolve));
      others = this.underWay.get(network);
    }
    this.limit.take(network);
    if (others === undefined) this.underWay.set(network, { attempts: 1, waiting: [] });
    else others.attempts += 1;
  }

  private end(network: string): void {
    const others = this.underWay.get(network);
    if (others === undefined) return;
    others.attempts -= 1;
    if (others.attempts === 0) this.underWay.delete(network);
    for (const wake of others.waiting.splice(0)) wake();
  }
}
