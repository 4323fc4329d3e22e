import type { PresentedToken } from './client_request.ts';
import { headerValues } from './headers.ts';

const SCHEME = 'Bearer ';

/** Visible ASCII: every token that a homeserver hands out fits, a blank or a control byte does not. */
const TOKEN = /^[\x21-\x7e]+$/;

/**
 * The access token of a request (client-server API, "Client Authentication"). Homeservers disagree about two tokens,
 * `bearer`, odd blanks and other schemes, so anything but exactly one well-formed token is `malformed`
 * (rule R2, attacks 21 and 105).
 *
 * @param rawHeaders names and values in turn, as Node gives them: its merged view drops a second Authorization
 * @param queryTokens every `access_token` of the query, decoded
 */
export function presentedToken(
  rawHeaders: readonly string[],
  queryTokens: readonly string[],
): PresentedToken {
  const headers = headerValues(rawHeaders, 'authorization');
  if (headers.length + queryTokens.length === 0) return { kind: 'none' };
  if (headers.length + queryTokens.length > 1) return { kind: 'malformed' };
  const token = queryTokens[0] ?? bearerToken(headers[0] ?? '');
  return token !== undefined && TOKEN.test(token) ? { kind: 'token', token } : { kind: 'malformed' };
}

function bearerToken(header: string): string | undefined {
  return header.startsWith(SCHEME) ? header.slice(SCHEME.length) : undefined;
}
