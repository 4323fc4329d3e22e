import type { IncomingMessage } from 'node:http';
import { type RandomSource, randomId } from '../system/random.ts';
import { trustedPeers } from './client_address.ts';
import { headerValues } from './raw_headers.ts';

/** The id of a request: goes to the homeserver, to the client, and into the log. */
export type ReadRequestId = (request: IncomingMessage) => string;

const HEADER = 'x-request-id';
const USABLE = /^[A-Za-z0-9._-]{1,64}$/;
const BITS = 96;

/**
 * Reads the id that a trusted proxy gave a request; all others get a new one, so that no client can make its
 * requests look like another's. One that is sent twice or holds other characters counts as absent.
 */
export function requestIdReader(trustedProxies: readonly string[], random: RandomSource): ReadRequestId {
  const isTrusted = trustedPeers(trustedProxies);
  return (request) => {
    const [given, ...more] = isTrusted(request) ? headerValues(request.rawHeaders, HEADER) : [];
    const isUsable = given !== undefined && more.length === 0 && USABLE.test(given);
    return isUsable ? given : randomId(random, BITS);
  };
}
