/**
 * Where an app may be led back to (client-server API v1.19, "OAuth 2.0 API", "Redirect URI validation"; RFC 8252).
 * Addresses are judged as they are written: a parser would tidy up what has to be judged, and another one might read
 * it otherwise.
 */

export const LONGEST_URI = 1024;

/** `web`: https. `loopback`: http on this device. `private`: a scheme of an app. */
export type RedirectKind = 'web' | 'loopback' | 'private';

export type ApplicationType = 'web' | 'native';

/** What RFC 3986 takes in a path and a query stands in each of them; a fragment begins with another sign. */
const WEB =
  /^https:\/\/((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?)(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]*)?$/;
const LOOPBACK =
  /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?][A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]*)?)$/;
/** Without an authority: `scheme:/`, and not `scheme://`. */
const PRIVATE = /^[a-z][a-z0-9+.-]*:\/(?!\/)[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]*$/;

/** The host of an https address with a dotted name, in lower case and without user info; undefined for any other. */
export function webHost(uri: string): string | undefined {
  return uri.length > LONGEST_URI ? undefined : WEB.exec(uri)?.[1];
}

/** Whether an https address is on this host or below it. */
export function isOnHost(uri: string, host: string): boolean {
  const found = webHost(uri);
  return found !== undefined && (found === host || found.endsWith(`.${host}`));
}

/** What a registered address is; undefined for what cannot be registered. */
export function redirectKind(uri: string): RedirectKind | undefined {
  if (uri.length > LONGEST_URI) return undefined;
  if (WEB.test(uri)) return 'web';
  if (LOOPBACK.test(uri)) return 'loopback';
  return PRIVATE.test(uri) ? 'private' : undefined;
}

/** Whether an app of this kind, at home on `host`, may register the address. */
export function mayRegister(uri: string, type: ApplicationType, host: string): boolean {
  const kind = redirectKind(uri);
  if (kind === 'web') return isOnHost(uri, host);
  if (kind === undefined || type === 'web') return false;
  return kind === 'loopback' || isSchemeOf(uri.slice(0, uri.indexOf(':')), host);
}

/** A private scheme is the host reversed, or below it: `io.element.android` for `element.io`. */
function isSchemeOf(scheme: string, host: string): boolean {
  const reversed = host.split('.').toReversed().join('.');
  return scheme === reversed || scheme.startsWith(`${reversed}.`);
}

/** Whether a request may be led back to `uri`: it equals a registered one, on loopback but for the port. */
export function isRegistered(uri: string, registered: readonly string[]): boolean {
  if (uri.length > LONGEST_URI) return false;
  const loopback = withoutPort(uri);
  return registered.some(
    (each) => each === uri || (loopback !== undefined && loopback === withoutPort(each)),
  );
}

/** An app listens on whichever port is free (RFC 8252, section 7.3). Undefined if it is not on loopback. */
function withoutPort(uri: string): string | undefined {
  const [, origin, rest] = LOOPBACK.exec(uri) ?? [];
  return origin === undefined || rest === undefined ? undefined : origin + rest;
}

/** What people are shown of an address: its host, or its scheme. */
export function shownTarget(uri: string): string {
  const kind = redirectKind(uri);
  if (kind === 'private') return uri.slice(0, uri.indexOf(':'));
  return kind === undefined ? uri : new URL(uri).host;
}
