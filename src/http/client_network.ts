import ipaddr from 'ipaddr.js';

/** The groups of an IPv6 address that name a customer's network, as /56: three, and one byte of the fourth. */
const IPV6_BITS = 56;
const IPV4_BITS = 24;

/**
 * The network that an address is in: IPv4 by its /24, IPv6 by its /56. What one customer of a provider has; an
 * address alone is worth nothing where everybody has many (RFC 6177).
 */
export function networkOf(ip: string): string {
  if (!ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  const bits = address instanceof ipaddr.IPv6 ? IPV6_BITS : IPV4_BITS;
  const bytes = address.toByteArray().slice(0, bits / 8);
  return `${address.kind()} ${Buffer.from(bytes).toString('hex')}`;
}
