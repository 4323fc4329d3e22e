import { timingSafeEqual } from 'node:crypto';
import type { ClientRequest } from '../http/client_request.ts';
import { derived } from '../system/derived.ts';
import { hashToken } from '../system/token_hash.ts';

/** A request of an application service that the operator listed, whichever user the service acts for. */
class ServiceListed {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  isFor(_userId: string): boolean {
    return true;
  }

  /** What the service calls the homeserver with. */
  get token(): string {
    return this.#token;
  }
}

export type { ServiceListed };

/** The tokens of application services that the operator listed: their requests pass (attack 40). */
export class AppserviceTokens {
  private readonly hashes: () => readonly Buffer[];

  /** @param services those that are listed at present */
  constructor(services: () => readonly { readonly asToken: string }[]) {
    this.hashes = derived(services, (listed) => listed.map(({ asToken }) => Buffer.from(hashToken(asToken))));
  }

  /** The listed service that makes this request, which is noted; undefined if none does. Compares hashes, in constant time. */
  serviceOf(request: ClientRequest): ServiceListed | undefined {
    if (request.token.kind !== 'token') return undefined;
    const { token } = request.token;
    if (!this.isListed(token)) return undefined;
    if (request.client.record !== undefined) request.client.record.isOfService = true;
    return new ServiceListed(token);
  }

  isListed(token: string): boolean {
    const asked = Buffer.from(hashToken(token));
    return this.hashes().some((listed) => timingSafeEqual(listed, asked));
  }

  /** The query as it goes upstream: with the user that a listed application service acts for (attack 22). */
  searchUpstream(request: ClientRequest): string {
    const { assertedUser, search } = request;
    if (assertedUser === undefined || this.serviceOf(request) === undefined) return search;
    return `${search}${search === '' ? '?' : '&'}user_id=${encodeURIComponent(assertedUser)}`;
  }
}
