import type { Homeserver, TokenOwner } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';

/** A request's access token and whose it is. */
export interface KnownCaller {
  readonly token: string;
  readonly owner: TokenOwner;
}

/**
 * The one access token of a request.
 * @throws Refusal missing_token, unknown_token if it is malformed or there are two (attacks 21, 105)
 */
export function requireToken(request: ClientRequest): string {
  if (request.token.kind === 'none') throw new Refusal('missing_token');
  if (request.token.kind === 'malformed') throw new Refusal('unknown_token');
  return request.token.token;
}

/** The caller, as the homeserver knows him. @throws Refusal */
export async function requireCaller(homeserver: Homeserver, request: ClientRequest): Promise<KnownCaller> {
  const token = requireToken(request);
  return { token, owner: await homeserver.whoami(token, request.client) };
}
