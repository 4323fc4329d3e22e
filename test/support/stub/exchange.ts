import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JsonObject } from '../../../src/matrix/wire.ts';
import type { Refused } from './personality.ts';

/** A request as an endpoint of the stub sees it. */
export interface Exchange {
  readonly method: string;
  /** The request target exactly as it came. */
  readonly target: string;
  /** The path as this homeserver's router sees it, not decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly params: Readonly<Record<string, string>>;
  readonly rawHeaders: readonly string[];
  readonly headers: IncomingMessage['headers'];
  /** The body, at most its first 64 MiB. */
  readonly bytes: Buffer;
  readonly bodyLength: number;
  /** SHA-256 of the whole body, in hex. */
  readonly bodyHash: string;
  /** The address that this homeserver takes for the client's. */
  readonly clientAddress: string;
  /** For answers that are not JSON or come piece by piece. */
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** What an endpoint answers. */
export interface StubAnswer {
  readonly status: number;
  readonly body: JsonObject | Buffer | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An endpoint that answers by writing to `exchange.response` itself. */
export const ANSWERED_BY_HAND = 'answered by hand';

/** An endpoint's refusal. */
export class StubRefusal extends Error {
  constructor(readonly answer: StubAnswer) {
    super('refused by the stub');
    this.name = 'StubRefusal';
  }
}

/** A refusal with the standard error body. */
export function refusal(refused: Refused, text = 'no', more: JsonObject = {}): StubRefusal {
  return new StubRefusal({
    status: refused.status,
    body: { errcode: refused.errcode, error: text, ...more },
  });
}

export const MISSING_TOKEN: Refused = { status: 401, errcode: 'M_MISSING_TOKEN' };
export const UNKNOWN_TOKEN: Refused = { status: 401, errcode: 'M_UNKNOWN_TOKEN' };
export const FORBIDDEN: Refused = { status: 403, errcode: 'M_FORBIDDEN' };
export const UNRECOGNIZED: Refused = { status: 404, errcode: 'M_UNRECOGNIZED' };
export const NOT_FOUND: Refused = { status: 404, errcode: 'M_NOT_FOUND' };
export const METHOD_NOT_ALLOWED: Refused = { status: 405, errcode: 'M_UNRECOGNIZED' };
export const BAD_JSON: Refused = { status: 400, errcode: 'M_BAD_JSON' };
export const MISSING_PARAM: Refused = { status: 400, errcode: 'M_MISSING_PARAM' };

export function ok(body: JsonObject = {}): StubAnswer {
  return { status: 200, body };
}

/** Sends an answer. */
export function write(response: ServerResponse, answer: StubAnswer): void {
  const isJson = typeof answer.body !== 'string' && !Buffer.isBuffer(answer.body);
  const bytes = isJson
    ? Buffer.from(JSON.stringify(answer.body))
    : Buffer.from(answer.body as Buffer | string);
  response.writeHead(answer.status, {
    ...(isJson ? { 'content-type': 'application/json' } : {}),
    'access-control-allow-origin': '*',
    'content-length': bytes.length,
    ...answer.headers,
  });
  response.end(bytes);
}
