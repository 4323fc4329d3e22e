import type { Answer } from '../http/answer.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { HomeserverAnswer } from './homeserver.ts';
import { rebuildError } from './safe_error.ts';

/** Headers of a homeserver's answer that are for its connection to us only, or that we write ourselves. */
const NOT_RELAYED = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-request-id',
]);

/** The homeserver's answer with its own bytes: for users without 2FA, for whom nothing may change. */
export function relayBytes(answer: HomeserverAnswer): Answer {
  const headers: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (value === undefined || NOT_RELAYED.has(name.toLowerCase())) continue;
    headers[name] = value;
  }
  return { status: answer.status, headers, body: answer.bytes };
}

/**
 * The homeserver's answer to a caller without 2FA: successes and its own challenges as they are, errors rebuilt,
 * as one server prints the request into them (R11, attack 112).
 */
export function relayAnswer(answer: HomeserverAnswer, sent: JsonObject): Answer {
  const isChallenge = answer.status === 401 && Array.isArray(answer.json?.flows);
  if (isChallenge) return { ...relayBytes(answer), outcome: { is: 'challenged', reason: 'homeserver' } };
  return answer.status < 400 ? relayBytes(answer) : rebuildError(answer, sent);
}

/**
 * Whether the homeserver says that it did what it was asked for: with a JSON object, or with nothing. A page with a status of
 * success comes from something in between, such as a web server that has a page for everything: it says nothing of that.
 */
export function saysDone({ status, json, bytes }: HomeserverAnswer): boolean {
  return status < 300 && (json !== undefined || bytes.length === 0);
}
