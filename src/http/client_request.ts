import type { JsonObject } from '../matrix/wire.ts';
import type { Form } from './form.ts';
import type { RequestRecord } from './request_record.ts';

/** How the access token of a request was given. */
export type PresentedToken =
  | { readonly kind: 'none' }
  /** Exactly one well-formed token, from the header or the query. */
  | { readonly kind: 'token'; readonly token: string }
  /** Two tokens, another scheme, odd blanks: an authenticated route answers 401, others act as without one. */
  | { readonly kind: 'malformed' };

/**
 * A request on a gated or own route after the front door has read it: canonical target, one token, strict body.
 * Handlers see nothing of the raw request.
 */
export interface ClientRequest {
  readonly method: string;
  /** Canonical path without query, parameters re-encoded: what goes upstream. */
  readonly path: string;
  /** Path parameters, decoded once. */
  readonly params: Readonly<Record<string, string>>;
  /** Query parameters without `access_token` and `user_id`; the first value of each. */
  readonly query: ReadonlyMap<string, string>;
  /** The query as it goes upstream: rebuilt from the above, empty or beginning with `?`. */
  readonly search: string;
  /** `user_id` of the query: whom an application service acts for. Only a listed service's goes upstream (attack 22). */
  readonly assertedUser: string | undefined;
  readonly token: PresentedToken;
  /** The strict-JSON body; undefined if there was none (zero bytes). */
  readonly body: JsonObject | undefined;
  readonly client: ClientAddress;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
  /** What pages look at besides. A header sent twice counts as absent. */
  readonly headers: Readonly<Partial<Record<PageHeader, string>>>;
  /**
   * Reads the form that came with the request; on routes that take one.
   * @throws Refusal invalid_param if it is not a form, too_large, slow_body
   */
  readonly readForm?: () => Promise<Form>;
  /** What was sent, as it is; on routes that read it by rules of their own. */
  readonly raw?: RawRequest;
}

/** What no reader has looked at yet. */
export interface RawRequest {
  /** What stood behind the `?`: visible ASCII. */
  readonly query: string;
  /** The type of the body, without its parameters and in lower case; empty if none was named. */
  readonly contentType: string;
  /** @throws Refusal too_large, slow_body, or bad_json if the client went away */
  readonly readBody: () => Promise<Buffer>;
}

/** Headers that handlers may see; all others stay outside. */
export const PAGE_HEADERS = [
  'accept-language',
  'cookie',
  'origin',
  'sec-fetch-site',
  'x-m2fa-page',
  'x-m2fa-probe',
] as const;

export type PageHeader = (typeof PAGE_HEADERS)[number];

/** Who asks, as far as trusted hops can tell. */
export interface ClientAddress {
  readonly ip: string;
  readonly proto: 'http' | 'https';
  /** The Host header, if there was one. */
  readonly host: string | undefined;
  /** Names a browser in which the user who is meant has passed a factor: limits by address count it on its own. */
  readonly knownBrowser?: string | undefined;
  /** What is noted about the request, on gated and own routes. */
  readonly record?: RequestRecord | undefined;
}
