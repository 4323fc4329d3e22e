import type { ClientAddress } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import type { Clock } from '../system/clock.ts';
import { AttemptLimit, type BegunAttempt } from './attempt_limit.ts';
import type { Rate } from './rate_limit.ts';

/**
 * The limit on attempts from one address, so that no one tries many accounts from one place. Only what fails counts:
 * hundreds of people behind one address who sign in rightly do not meet it (attack 142).
 */
export class AddressLimit {
  private readonly limit: AttemptLimit;

  constructor(rate: Rate, clock: Clock) {
    this.limit = new AttemptLimit(rate, clock, 'address');
  }

  /**
   * Takes one attempt of the client's address, as far as trusted hops can tell it (attack 81), and gives it back if
   * it succeeds or finds the homeserver or the store out of order.
   * @throws Refusal `limit_exceeded` if there were too many; whatever `act` throws
   */
  attempt<T>(client: ClientAddress, act: () => Promise<T>, hasSucceeded: (result: T) => boolean): Promise<T> {
    return this.limit.attempt(keyOf(client), act, hasSucceeded);
  }

  /** The same for an attempt whose end the caller tells. @throws Refusal `limit_exceeded` */
  begin(client: ClientAddress): Promise<BegunAttempt> {
    return this.limit.begin(keyOf(client));
  }

  /**
   * Takes one more for an attempt that is under way and turns out to be two.
   * @throws Refusal `limit_exceeded` if there is none left
   */
  takeFurther(client: ClientAddress): void {
    this.limit.takeFurther(keyOf(client));
  }
}

/** A known browser is not kept out by what else comes from its address. */
function keyOf({ ip, knownBrowser }: ClientAddress): string {
  return knownBrowser === undefined ? networkOf(ip) : `browser ${knownBrowser}`;
}
