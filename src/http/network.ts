import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** The groups of an IPv6 address that name a customer: each has a whole /64 to choose from (RFC 6177). */
const NETWORK_GROUPS = 4;

const WIDER_IPV4_BYTES = 24 / 8;
const WIDER_IPV6_BYTES = 56 / 8;

/** What an address counts as: itself, or the network of an IPv6 address; an IPv4 address in IPv6 form is itself. */
export function networkOf(ip: string): string {
  if (isIPv4(ip)) return ip;
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (!(address instanceof ipaddr.IPv6)) return address.toString();
  const network = address.parts.slice(0, NETWORK_GROUPS).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}

const SHORTENED_IPV4_BYTES = 24 / 8;
const SHORTENED_IPV6_GROUPS = 48 / 16;

/** What is left of an address after a while: its /24 or /48, which names no household. */
export function shortenedAddress(ip: string): string {
  if (!ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  if (!(address instanceof ipaddr.IPv6)) {
    return `${address.toByteArray().slice(0, SHORTENED_IPV4_BYTES).join('.')}.0/24`;
  }
  const groups = address.parts.slice(0, SHORTENED_IPV6_GROUPS).map((group) => group.toString(16));
  return `${groups.join(':')}::/48`;
}

/** The network in which one customer may have many addresses: IPv4 by its /24, IPv6 by its /56 (RFC 6177). */
export function widerNetworkOf(ip: string): string {
  if (isIPv4(ip))
    return `ipv4 ${Buffer.from(ip.split('.').slice(0, WIDER_IPV4_BYTES).map(Number)).toString('hex')}`;
  if (!ipaddr.isValid(ip)) return 'unknown';
  const address = ipaddr.process(ip);
  const bytes = address instanceof ipaddr.IPv6 ? WIDER_IPV6_BYTES : WIDER_IPV4_BYTES;
  return `${address.kind()} ${Buffer.from(address.toByteArray().slice(0, bytes)).toString('hex')}`;
}
