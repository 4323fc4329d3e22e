import type { Outcome } from '../matrix/outcome.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { ClientAddress, ClientRequest, PresentedToken } from './client_request.ts';

/** Our answer to a client; the front door adds CORS and the content type. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** A JSON body, or bytes that go out as they are (a homeserver's answer to a user without 2FA). */
  readonly body: JsonObject | Buffer;
  /** For pages and their files: no other origin may read them, so that no other site gets at what stands in a form. */
  readonly sameOrigin?: true;
  /** What it means to the operator. Without it the status says so (`outcomeOfStatus`). */
  readonly outcome?: Outcome;
}

/** A handler of a gated or own route. Throws `Refusal` to refuse. */
export type Handler = (request: ClientRequest) => Promise<Answer>;

/** A request that is to be passed on. */
export interface PassedRequest {
  /** As it was sent, without its query. */
  readonly path: string;
  readClient(): ClientAddress;
  /** What a homeserver could take for its access token. */
  readToken(): PresentedToken;
}

/** A small answer to a request that was passed through, before it is given out. */
export interface PassedAnswer {
  readonly path: string;
  readonly content: Buffer;
  readonly client: ClientAddress;
  /** The access token that came with the request, if there was one. */
  readonly readToken: () => string | undefined;
}
