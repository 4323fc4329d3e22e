import ipaddr from 'ipaddr.js';
import type { Clock } from '../system/clock.ts';
import { type Rate, RateLimit } from './rate_limit.ts';

/** The groups of an IPv6 address that name a customer: each has a whole /64 to choose from (RFC 6177). */
const NETWORK_GROUPS = 4;

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

/** What an address counts as: itself, or the network of an IPv6 address; an IPv4 address in IPv6 form is itself. */
export function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  const network = address.parts.slice(0, NETWORK_GROUPS).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
