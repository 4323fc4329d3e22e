import { networkOf } from '../http/network.ts';
import type { Clock } from '../system/clock.ts';
import { type Rate, RateLimit } from './rate_limit.ts';

/** The limit on attempts from one address, so that nobody tries many accounts from one place. */
export class AddressLimit {
  private readonly limit: RateLimit;

  constructor(rate: Rate, clock: Clock) {
    this.limit = new RateLimit(rate, clock);
  }

  /**
   * Takes one attempt of `ip`, the address as far as trusted hops can tell (attack 81).
   * @throws Refusal `limit_exceeded` if there were too many.
   */
  take(ip: string): void {
    this.limit.take(networkOf(ip));
  }
}
