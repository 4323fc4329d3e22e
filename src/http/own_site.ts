import type { ClientRequest } from './client_request.ts';

/**
 * Whether a request comes from one of our pages, as far as the browser says: it names no other site, and no other origin.
 * A form of a page without referrer sends `Origin: null`; then its word on the site counts.
 */
export function isOwnSite(request: ClientRequest, publicBaseUrl: string): boolean {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  return request.headers.origin === 'null' || isOwnOrigin(request, publicBaseUrl);
}

/** The same of a request by a script, whose origin is never `null`. */
export function isOwnOrigin({ headers, client }: ClientRequest, publicBaseUrl: string): boolean {
  const { origin } = headers;
  if (origin === undefined || origin === new URL(publicBaseUrl).origin) return true;
  return client.host !== undefined && origin === `${client.proto}://${client.host}`;
}
