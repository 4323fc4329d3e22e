import { readFlows, readStrings } from '../homeserver/answer_fields.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import { type Flow, isJsonObject, type Json, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { isIdentityFree, mayFollowProof } from '../uia/allowed_stages.ts';
import type { ChallengeError } from '../uia/challenge.ts';
import type { HomeserverStages } from './homeserver_stages.ts';

/** A homeserver's 401 of User-Interactive Authentication in one form (docs/homeservers.md). */
export interface HomeserverChallenge {
  readonly session: string;
  readonly flows: readonly Flow[];
  readonly completed: readonly string[];
  readonly params: JsonObject;
  /** Why the stage that was tried failed; undefined if none did. */
  readonly failure: ChallengeError | undefined;
}

/** The challenge in an answer; undefined if it is not one, or names no session in which to go on. */
export function readChallenge(answer: HomeserverAnswer, sent: JsonObject): HomeserverChallenge | undefined {
  const flows = readFlows(answer.json);
  const session = answer.json?.session;
  if (answer.status !== 401 || flows === undefined || typeof session !== 'string') return undefined;
  return {
    session,
    flows: flows.filter((flow) => flow.every((stage) => stage === PASSWORD_STAGE || mayFollowProof(stage))),
    completed: readStrings(answer.json?.completed),
    params: objectsIn(answer.json?.params),
    failure: failureIn(answer, sent),
  };
}

/**
 * The homeserver's challenge as a caller without 2FA gets it: without the flows that need a stage which says who is
 * meant, since none of those is sent on (attack 156). Anything else stays as it is, byte for byte.
 */
export function withoutUnusableFlows(answer: HomeserverAnswer): HomeserverAnswer {
  const { json } = answer;
  const flows = json?.flows;
  if (answer.status !== 401 || json === undefined || !Array.isArray(flows)) return answer;
  const usable = flows.filter((flow) => stagesOf(flow).every(isUsable));
  if (usable.length === flows.length) return answer;
  const rest: JsonObject = { ...json, flows: usable };
  if (isJsonObject(json.params)) {
    rest.params = Object.fromEntries(Object.entries(json.params).filter(([stage]) => isUsable(stage)));
  }
  return { ...answer, json: rest, bytes: Buffer.from(JSON.stringify(rest)) };
}

function stagesOf(flow: Json): Json[] {
  return isJsonObject(flow) && Array.isArray(flow.stages) ? flow.stages : [];
}

function isUsable(stage: Json): boolean {
  return typeof stage === 'string' && (stage === PASSWORD_STAGE || isIdentityFree(stage));
}

/** Whether a password has a place in it. An account without one is asked for other proofs. */
export function wantsPassword(challenge: HomeserverChallenge): boolean {
  return challenge.flows.some((flow) => flow.includes(PASSWORD_STAGE));
}

/**
 * What is still to do after the password was accepted, or where the account has none. Undefined if nothing is
 * left that our client could do.
 * @param proven the stages of our session, in order
 */
export function stagesLeftIn(
  challenge: HomeserverChallenge,
  proven: readonly string[],
): HomeserverStages | undefined {
  const accepted = wantsPassword(challenge);
  const begun = accepted ? [...proven.filter((stage) => stage !== PASSWORD_STAGE), PASSWORD_STAGE] : proven;
  const done = new Set([...challenge.completed, ...(accepted ? [PASSWORD_STAGE] : [])]);
  const flows = challenge.flows
    .filter((flow) => flow.includes(PASSWORD_STAGE) === accepted)
    .map((flow) => flow.filter((stage) => !done.has(stage)))
    // No stage stands twice in a flow: one that was finished on our page cannot be asked for again.
    .filter((flow) => flow.length > 0 && !flow.some((stage) => begun.includes(stage)));
  if (flows.length === 0) return undefined;
  const { session, params } = challenge;
  return { session, proven: begun, flows, completed: [], params };
}

/** Where `homeserverStages` stands by the homeserver's next challenge. */
export function progressOf(
  homeserverStages: HomeserverStages,
  challenge: HomeserverChallenge,
): HomeserverStages {
  const done = new Set(challenge.completed);
  const beginnings = homeserverStages.flows.map((flow) => {
    const next = flow.findIndex((stage) => !done.has(stage));
    return next === -1 ? flow : flow.slice(0, next);
  });
  const completed = beginnings.reduce((longest, one) => (one.length > longest.length ? one : longest), []);
  return {
    ...homeserverStages,
    session: challenge.session,
    completed,
    params: { ...homeserverStages.params, ...challenge.params },
  };
}

function failureIn(answer: HomeserverAnswer, sent: JsonObject): ChallengeError | undefined {
  if (answer.json?.errcode === undefined) return undefined;
  const { errcode, error } = rebuildError(answer, sent).body;
  return { errcode: String(errcode), error: String(error), refused: 'homeserver' };
}

/** Some homeservers send `null` or nothing. */
function objectsIn(params: unknown): JsonObject {
  if (!isJsonObject(params)) return {};
  return Object.fromEntries(Object.entries(params).filter(([, value]) => isJsonObject(value)));
}
