import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Answer } from './answer.ts';

/**
 * The CORS headers of every answer of our own, errors included: web clients live on another origin
 * (client-server API, "Web Browser Clients"; attack 99).
 */
export const CORS_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers': 'X-Requested-With, Content-Type, Authorization',
  'Access-Control-Expose-Headers': 'Retry-After',
} as const;

/** Exactly this, without a charset: libQuotient compares the whole header. */
const JSON_TYPE = 'application/json';

type Header = readonly [name: string, value: string, inLowerCase: string];

const OWN_HEADERS: readonly Header[] = [
  header('Content-Type', JSON_TYPE),
  header('Cache-Control', 'no-store'),
];
const OWN_AND_CORS_HEADERS: readonly Header[] = [
  ...Object.entries(CORS_HEADERS).map(([name, value]) => header(name, value)),
  ...OWN_HEADERS,
];

function header(name: string, value: string): Header {
  return [name, value, name.toLowerCase()];
}

/**
 * Writes `answer` and ends the response. Headers of the answer win over ours, so a page brings its own
 * `Content-Type`. A `retry_after_ms` in the body becomes `Retry-After` in whole seconds.
 *
 * @param requestId the id of the request, which is in the log, too
 * @throws TypeError, RangeError if Node refuses a header or the status; then nothing is written yet
 */
export function sendAnswer(response: ServerResponse, answer: Answer, requestId?: string): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.isBuffer(answer.body) ? answer.body : Buffer.from(JSON.stringify(answer.body));
  response.writeHead(
    answer.status,
    STATUS_CODES[answer.status] ?? '',
    headOf(answer, bytes.length, requestId),
  );
  response.end(bytes);
}

/** Names and values in turn: of all ways to give headers to Node the one that costs least. */
function headOf(answer: Answer, length: number, requestId: string | undefined): (string | string[])[] {
  const { headers = {} } = answer;
  const names = Object.keys(headers);
  const given = names.map((name) => name.toLowerCase());
  const head: (string | string[])[] = [];
  for (const [name, value, inLowerCase] of answer.sameOrigin ? OWN_HEADERS : OWN_AND_CORS_HEADERS) {
    if (!given.includes(inLowerCase)) head.push(name, value);
  }
  const retryAfter = retryAfterSeconds(answer);
  if (retryAfter !== undefined && !given.includes('retry-after'))
    head.push('Retry-After', String(retryAfter));
  for (const name of names) {
    const value = headers[name] as string | readonly string[];
    head.push(name, typeof value === 'string' ? value : [...value]);
  }
  if (requestId !== undefined) head.push('X-Request-ID', requestId);
  head.push('Content-Length', String(length));
  return head;
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
