import type { Answer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { challenge, WRONG_ORDER } from '../second_factor/challenge_answer.ts';
import { factorKindIn } from '../second_factor/factor_passed.ts';
import { pinnedPassword, withoutNames } from '../uia/allowed_stages.ts';
import type { ChallengeError, ShownSession } from '../uia/challenge.ts';
import type { PresentedAuth } from '../uia/presented_auth.ts';
import { requireBody, type Session, standingOf } from '../uia/session.ts';
import { type HomeserverStages, shownSession } from './homeserver_stages.ts';

/** Our stages are done; what is left is for the homeserver to judge. */
export interface Pending {
  readonly is: 'pending';
  readonly session: Session;
  /** The owner's password; empty where the homeserver goes on with stages of its own. */
  readonly password: string;
  /** The password field as it was typed, where a code was cut off its end: it may be the password after all. */
  readonly asTyped: string | undefined;
  /** What the homeserver gets as `auth`: the pinned password, or a stage of `homeserverStages` in its own session. */
  readonly auth: JsonObject;
  readonly homeserverStages: HomeserverStages | undefined;
  /** What the request is about, without `auth`: of this request or, where it came with `auth` alone, of an earlier one. */
  readonly body: JsonObject;
}

/** How far the `auth` of a request leads. */
export type OwnerStep = Pending | { readonly is: 'answer'; readonly answer: Answer };

export function answered(answer: Answer): OwnerStep {
  return { is: 'answer', answer };
}

export function challenged(session: ShownSession, error?: ChallengeError): OwnerStep {
  return answered(challenge(session, error));
}

/** @throws Refusal missing_param if the request must repeat its body */
export function pendingPassword(session: Session, password: string, asTyped?: string): Pending {
  requireBody(session);
  const auth = pinnedPassword(password, session.binding.userId);
  return {
    is: 'pending',
    session,
    password,
    asTyped,
    auth,
    homeserverStages: undefined,
    body: session.body ?? {},
  };
}

/**
 * The homeserver's own stages, in its session and in no other; a password stays the owner's.
 * @throws Refusal stage_not_offered, missing_param
 */
export function takeHomeserverStage(
  session: Session,
  homeserverStages: HomeserverStages,
  { type, fields }: PresentedAuth,
): OwnerStep {
  const shown = shownSession(session, homeserverStages);
  // Finished elsewhere, on a page of the homeserver: only the homeserver can say.
  if (type === undefined) return pendingStage(session, homeserverStages, {});
  if (shown.completed.includes(type)) return challenged(shown);
  if (!shown.flows.some((flow) => flow.includes(type))) throw new Refusal('stage_not_offered');
  if (standingOf(shown, type) !== 'next') return challenged(shown, WRONG_ORDER);
  return pendingStage(session, homeserverStages, fields);
}

function pendingStage(session: Session, homeserverStages: HomeserverStages, fields: JsonObject): Pending {
  requireBody(session);
  const auth = { ...withoutNames(fields), session: homeserverStages.session };
  const body = session.body ?? {};
  return { is: 'pending', session, password: '', asTyped: undefined, auth, homeserverStages, body };
}

/** The answer to a request that went through; what it means to the operator, where a second factor was given for it. */
export function letThrough(answer: Answer, session: Session): Answer {
  const factor = factorKindIn(session);
  const isDone = answer.status < 400 && factor !== undefined;
  return isDone ? { ...answer, outcome: { is: 'released', factor } } : answer;
}
