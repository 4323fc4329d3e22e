import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';

import ipaddr from 'ipaddr.js';

import type { ClientAddress } from './client_request.ts';
import { headerValues } from './headers.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Range = [Address, number];

/** Peers whose trust is remembered; a busy address costs one look-up in a map. */
const REMEMBERED_PEERS = 4096;

/** Tells the address of a request's client. */
export type ReadClientAddress = (request: IncomingMessage) => ClientAddress;

/**
 * A reader of client addresses that believes `X-Forwarded-For` and `X-Forwarded-Proto` only from trusted hops
 * (attacks 74 and 81): the list is read from its right end, past trusted hops, to the first other address.
 *
 * @param trustedProxies addresses or CIDR ranges; throws RangeError on anything else
 */
export function clientAddressReader(trustedProxies: readonly string[]): ReadClientAddress {
  const isTrusted = trustedAddresses(trustedProxies);

  return (request) => {
    const peer = plainAddress(request.socket.remoteAddress ?? '');
    const host = headerValues(request.rawHeaders, 'host')[0];
    const ownProto = (request.socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
    if (!isTrusted(peer)) return { ip: peer, proto: ownProto, host };
    return {
      ip: forwardedFor(headerValues(request.rawHeaders, 'x-forwarded-for'), peer, isTrusted),
      proto: forwardedProto(headerValues(request.rawHeaders, 'x-forwarded-proto')) ?? ownProto,
      host,
    };
  };
}

/** Tells whether a request came from a trusted hop. @param trustedProxies as for `clientAddressReader` */
export function trustedPeers(trustedProxies: readonly string[]): (request: IncomingMessage) => boolean {
  const isTrusted = trustedAddresses(trustedProxies);
  return (request) => isTrusted(plainAddress(request.socket.remoteAddress ?? ''));
}

function trustedAddresses(trustedProxies: readonly string[]): (address: string) => boolean {
  const ranges = trustedProxies.map(parseRange);
  const remembered = new Map<string, boolean>();
  return (address) => {
    if (ranges.length === 0) return false;
    const known = remembered.get(address);
    if (known !== undefined) return known;
    const trusted = isInside(address, ranges);
    if (remembered.size >= REMEMBERED_PEERS) remembered.clear();
    remembered.set(address, trusted);
    return trusted;
  };
}

/** The address that the innermost untrusted hop had; `peer` where the list says nothing usable. */
function forwardedFor(
  headers: readonly string[],
  peer: string,
  isTrusted: (address: string) => boolean,
): string {
  const hops = headers.join(',').split(',');
  let client = peer;
  for (let at = hops.length - 1; at >= 0; at--) {
    const hop = (hops[at] as string).trim();
    if (!isAddress(hop)) break;
    client = plainAddress(hop);
    if (!isTrusted(client)) break;
  }
  return client;
}

/** The protocol that the nearest hop named: the last word of the list. */
function forwardedProto(headers: readonly string[]): 'http' | 'https' | undefined {
  const last = headers.join(',').split(',').at(-1)?.trim().toLowerCase();
  return last === 'http' || last === 'https' ? last : undefined;
}

/** An IPv4 address seen through an IPv6 socket as IPv4, and no zone: one spelling for one client. */
function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const zone = address.indexOf('%');
  const bare = zone === -1 ? address : address.slice(0, zone);
  return isAddress(bare) ? ipaddr.process(bare).toString() : bare;
}

/** Not the shortened and hexadecimal IPv4 forms that the library takes as well. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}

function parseRange(text: string): Range {
  try {
    if (text.includes('/')) return ipaddr.parseCIDR(text);
    const address = ipaddr.parse(text);
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  } catch (cause) {
    throw new RangeError(`not an address or CIDR range: ${text}`, { cause });
  }
}

function isInside(address: string, ranges: readonly Range[]): boolean {
  if (!isAddress(address)) return false;
  const parsed = ipaddr.process(address);
  return ranges.some(([range, bits]) => parsed.kind() === range.kind() && parsed.match(range, bits));
}
