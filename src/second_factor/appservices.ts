import { timingSafeEqual } from 'node:crypto';
import type { ClientRequest } from '../http/client_request.ts';
import { hashToken } from './fresh_logins.ts';

/** The tokens of application services that the operator listed: their requests pass (DESIGN §4, attack 40). */
export class AppserviceTokens {
  private readonly hashes: readonly Buffer[];

  constructor(services: readonly { readonly asToken: string }[]) {
    this.hashes = services.map((service) => Buffer.from(hashToken(service.asToken)));
  }

  /** Whether `token` is one of them; compares hashes, in constant time. */
  includes(token: string): boolean {
    const asked = Buffer.from(hashToken(token));
    return this.hashes.some((listed) => timingSafeEqual(listed, asked));
  }
}

/** The token of the listed application service that makes this request; undefined if none does. */
export function listedAppservice(tokens: AppserviceTokens, request: ClientRequest): string | undefined {
  if (request.token.kind !== 'token') return undefined;
  return tokens.includes(request.token.token) ? request.token.token : undefined;
}

/** The query as it goes upstream: with the user that a listed application service acts for (attack 22). */
export function searchUpstream(tokens: AppserviceTokens, request: ClientRequest): string {
  const { assertedUser, search } = request;
  if (assertedUser === undefined || listedAppservice(tokens, request) === undefined) return search;
  return `${search}${search === '' ? '?' : '&'}user_id=${encodeURIComponent(assertedUser)}`;
}
