import { PASSING_ROOTS } from './routes.ts';

/** Below these a web server sends everything to the proxy; `/_2fa/` is the proxy's own. */
export const PROXY_ROOTS: readonly string[] = [
  ...PASSING_ROOTS.filter((root) => !root.startsWith('/.well-known/')),
  '/_2fa/',
];

/** The only other paths that it sends to the proxy; `/_2fa` is what people type. Everything else is 404. */
export const PROXY_PATHS: readonly string[] = [
  '/.well-known/matrix/client',
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
  '/_2fa',
];

/** What federation needs: all that port 8448 may serve. */
export const FEDERATION_ROOTS: readonly string[] = ['/_matrix/federation/', '/_matrix/key/'];

/**
 * What a web server may send straight to the homeserver, as it carries most of the load and nothing gated is near it.
 * A web server reads paths in its own way: so the list is short, and what is spelled oddly goes to the proxy.
 */
export const STRAIGHT_ROOTS: readonly string[] = [
  ...FEDERATION_ROOTS,
  '/_matrix/media/',
  '/_matrix/client/v1/media/',
];

/** The same for single endpoints, below `/_matrix/client/` and one of the versions. */
export const STRAIGHT_VERSIONS: readonly string[] = ['r0', 'v3'];
export const STRAIGHT_ROOM_ENDPOINTS: readonly string[] = ['messages', 'members', 'joined_members', 'state'];

/** A raw path that holds one of these, in capitals or not, may be read as another path: it always goes to the proxy. */
export const ODD_PARTS: readonly string[] = ['..', '//', ';', '\\', '#', '%25', '%2e', '%2f', '%5c'];

/** A regular expression, as all web servers know them, for the raw path or target of what may go straight. */
export function straightPattern(): string {
  const roots = STRAIGHT_ROOTS.map((root) => root.slice('/_matrix/'.length)).join('|');
  const endpoints = `sync|rooms/[^/?]+/(${STRAIGHT_ROOM_ENDPOINTS.join('|')})`;
  return `^/_matrix/(${roots}|client/(${STRAIGHT_VERSIONS.join('|')})/(${endpoints})([?]|$))`;
}

/** The same for a raw path or target whose path is spelled oddly. */
export function oddPattern(): string {
  return '^[^?]*([.][.]|//|[;#\\x5c]|%2[5eEfF]|%5[cC])';
}

/** The same for what goes to the proxy. */
export function proxyPattern(): string {
  const roots = PROXY_ROOTS.map((root) => root.slice(1)).join('|');
  const paths = PROXY_PATHS.map((path) => path.slice(1).replace('.', '[.]')).join('|');
  return `^/(${roots}|(${paths})([?]|$))`;
}

/** The same for federation. */
export function federationPattern(): string {
  return `^/_matrix/(${FEDERATION_ROOTS.map((root) => root.slice('/_matrix/'.length)).join('|')})`;
}

/** The same for federation that is spelled oddly. `%2f` is not: event ids of old rooms hold it. */
export function oddFederationPattern(): string {
  return '^[^?]*([.][.]|//|[;#\\x5c]|%2[5eE]|%5[cC])';
}
