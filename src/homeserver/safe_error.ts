import type { Outcome } from '../matrix/outcome.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { readFlows, readStrings, retryAfterMs } from './answer_fields.ts';
import type { HomeserverAnswer } from './homeserver.ts';
import { repeatsSent } from './sent_values.ts';

const NEUTRAL_TEXT = 'The homeserver refused this request.';
/** Capitals, digits and underscores, or dotted names of extensions (client-server API, "Standard error response"). */
const ERRCODE = /^[A-Z][A-Z0-9_.]{1,63}$/;

const ASKED_THERE: Outcome = { is: 'challenged', reason: 'homeserver' };

/** A homeserver's refusal as it may go to a client. */
export interface RebuiltError {
  readonly status: number;
  readonly body: JsonObject;
  /** Milliseconds to wait, if the homeserver named a time: for the `Retry-After` header. */
  readonly retryAfterMs: number | undefined;
  /** Where it is a challenge. */
  readonly outcome?: Outcome;
}

/**
 * Rebuilds a homeserver's error answer from the fields that we know, so that no token hides in it (R1) and no
 * text repeats a secret (R11, attack 112). A 401 with flows is completed to a whole challenge (attack 110).
 *
 * @param sent the body that the homeserver was sent
 * @throws Refusal homeserver_unclear if the answer's status is not an error: a success other than 200, or a
 *   redirect, is not understood on a gated route (attack 33)
 */
export function rebuildError(answer: HomeserverAnswer, sent: JsonObject | undefined): RebuiltError {
  const { status } = answer;
  if (status < 400) throw new Refusal('homeserver_unclear');
  const json = answer.json ?? {};
  const retry = retryAfterMs(answer);
  const body: JsonObject = { ...errorFields(answer, json, sent), ...challengeFields(answer, json) };
  if (retry !== undefined) body.retry_after_ms = retry;
  if (typeof json.soft_logout === 'boolean') body.soft_logout = json.soft_logout;
  const asked = body.flows === undefined ? {} : { outcome: ASKED_THERE };
  return { status, body, retryAfterMs: retry, ...asked };
}

/** `errcode` and `error`; a first challenge has neither. */
function errorFields(answer: HomeserverAnswer, json: JsonObject, sent: JsonObject | undefined): JsonObject {
  if (isChallenge(answer) && json.errcode === undefined) return {};
  const { errcode, error } = json;
  const isKnown = typeof errcode === 'string' && ERRCODE.test(errcode);
  const isSafe = typeof error === 'string' && !repeatsSent(error, sent);
  return { errcode: isKnown ? errcode : 'M_UNKNOWN', error: isSafe ? error : NEUTRAL_TEXT };
}

function challengeFields(answer: HomeserverAnswer, json: JsonObject): JsonObject {
  const flows = readFlows(json);
  if (!isChallenge(answer) || flows === undefined) return {};
  const challenge: JsonObject = {
    flows: flows.map((stages) => ({ stages: [...stages] })),
    params: isJsonObject(json.params) ? json.params : {},
    completed: readStrings(json.completed),
  };
  if (typeof json.session === 'string') challenge.session = json.session;
  return challenge;
}

function isChallenge(answer: HomeserverAnswer): boolean {
  return answer.status === 401 && Array.isArray(answer.json?.flows);
}
