import type { ServerResponse } from 'node:http';

import type { Answer } from './answer.ts';
import { CORS_HEADERS } from './cors.ts';

/** Exactly this, without a charset: libQuotient compares the whole header. */
const JSON_TYPE = 'application/json';

/**
 * Writes `answer` and ends the response. Headers of the answer win over ours, so a page brings its own
 * `Content-Type`. A `retry_after_ms` in the body becomes `Retry-After` in whole seconds.
 *
 * @throws TypeError, RangeError if Node refuses a header or the status; then nothing is written yet
 */
export function sendAnswer(response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) return;
  // An answer tried before this one may have failed after it set some headers.
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const bytes = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(JSON.stringify(answer.body));
  response.statusCode = answer.status;
  if (answer.sameOrigin !== true) {
    for (const [name, value] of Object.entries(CORS_HEADERS)) response.setHeader(name, value);
  }
  response.setHeader('Content-Type', JSON_TYPE);
  response.setHeader('Cache-Control', 'no-store');
  const retryAfter = retryAfterSeconds(answer);
  if (retryAfter !== undefined) response.setHeader('Retry-After', retryAfter);
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    response.setHeader(name, typeof value === 'string' ? value : [...value]);
  }
  response.setHeader('Content-Length', bytes.length);
  response.end(bytes);
}

/** Answers a CORS preflight on one of our paths, without asking the homeserver. */
export function sendPreflight(response: ServerResponse): void {
  response.writeHead(200, { ...CORS_HEADERS, 'Content-Length': 0 }).end();
}

function retryAfterSeconds(answer: Answer): number | undefined {
  if (Buffer.isBuffer(answer.body)) return undefined;
  const wait = answer.body.retry_after_ms;
  return typeof wait === 'number' ? Math.ceil(wait / 1000) : undefined;
}
