/** Where the answer to an authorization request goes, and what goes back with it. */
export interface WayBack {
  /** As the client sent it: equal to one that it registered. */
  readonly redirectUri: string;
  readonly responseMode: 'query' | 'fragment';
  /** Undefined where the client sent none, or one that is not to be repeated. */
  readonly state: string | undefined;
  /** Our own name, so that no client takes our answer for another server's (RFC 9207). */
  readonly issuer: string;
}

/** The errors of RFC 6749 §4.1.2.1, and of OpenID Connect, that a client is told of. */
export type AuthorizationError =
  | 'access_denied'
  | 'invalid_request'
  | 'invalid_scope'
  | 'login_required'
  | 'unauthorized_client'
  | 'unsupported_response_type';

/**
 * The address that brings the client its code or an error. All is encoded as in a URI and not as in a form: apps that
 * open a scheme of their own read a `+` as it is.
 */
export function addressBack(
  { redirectUri, responseMode, state, issuer }: WayBack,
  result: { readonly code: string } | { readonly error: AuthorizationError },
): string {
  const fields = { ...result, ...(state === undefined ? {} : { state }), iss: issuer };
  const answer = Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  if (responseMode === 'fragment') return `${redirectUri}#${answer}`;
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${answer}`;
}

/**
 * Whether a browser may be sent there by itself. Browsers swallow redirects to the scheme of an app, and to an address that
 * an app has claimed, where no one pressed anything (RFC 8252 §7): for these there is a page with a link.
 */
export function goesByItself(redirectUri: string, applicationType: 'web' | 'native'): boolean {
  return applicationType === 'web' || redirectUri.startsWith('http:');
}
