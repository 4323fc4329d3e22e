import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { saysDone } from '../homeserver/relay.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { ChallengeError } from '../uia/challenge.ts';
import {
  type HomeserverChallenge,
  progressOf,
  readChallenge,
  stagesLeftIn,
  wantsPassword,
} from './homeserver_challenge.ts';
import type { HomeserverStages } from './homeserver_stages.ts';
import type { Pending } from './pending.ts';

/** What the homeserver made of a proof. */
export type Verdict =
  | { readonly is: 'accepted'; readonly answer: HomeserverAnswer }
  | { readonly is: 'wrong_password' }
  /** It asks for more than the password: its stages follow in our session. */
  | { readonly is: 'more_stages'; readonly homeserverStages: HomeserverStages }
  /** A stage of its own failed. */
  | {
      readonly is: 'stage_refused';
      readonly homeserverStages: HomeserverStages;
      readonly failure: ChallengeError;
    }
  /** A fresh sign-in is not enough for it: the owner begins again, with a second factor. */
  | { readonly is: 'factor_wanted' }
  /** It rejects a session alone, as some do. We answer that question with the session's state. */
  | { readonly is: 'unheard' }
  /** A refusal for another reason than the proof: the session stays, and the code is not asked for again. */
  | { readonly is: 'unrelated'; readonly answer: Answer };

/**
 * Reads what the homeserver made of a proof from its answer. `unclear`: it may have found the password wrong, or not
 * have looked at it.
 * @throws Refusal homeserver_unclear
 */
export function readVerdict(
  answer: HomeserverAnswer,
  sent: JsonObject,
  pending: Pending,
  isFreshSignIn: boolean,
): Verdict | { readonly is: 'unclear' } {
  if (isDone(answer)) return { is: 'accepted', answer };
  const challenge = readChallenge(answer, sent);
  if (challenge !== undefined) return verdictIn(challenge, pending, isFreshSignIn);
  if (pending.homeserverStages === undefined) {
    return mayMeanThePassword(answer) ? { is: 'unclear' } : unrelated(answer, sent);
  }
  const isQuestion = pending.auth.type === undefined && answer.status < 429;
  return isQuestion ? { is: 'unheard' } : unrelated(answer, sent);
}

/** Whether the homeserver did what was asked. @throws Refusal homeserver_unclear */
export function isDone(answer: HomeserverAnswer): boolean {
  if (saysDone(answer)) return true;
  if (answer.status < 300) throw new Refusal('homeserver_unclear');
  return false;
}

/**
 * The homeserver is not content yet: with the password, or with what it has been given so far.
 * @throws Refusal homeserver_unclear
 */
export function verdictIn(
  challenge: HomeserverChallenge,
  { homeserverStages, session }: Pending,
  isFreshSignIn: boolean,
): Verdict {
  const { failure } = challenge;
  if (homeserverStages !== undefined) {
    const progress = progressOf(homeserverStages, challenge);
    return failure === undefined
      ? { is: 'more_stages', homeserverStages: progress }
      : { is: 'stage_refused', homeserverStages: progress, failure };
  }
  if (failure !== undefined && wantsPassword(challenge)) return { is: 'wrong_password' };
  // Only an owner who has proven a second factor is led on.
  if (isFreshSignIn) return { is: 'factor_wanted' };
  const next = stagesLeftIn(challenge, session.completed);
  if (next === undefined) throw new Refusal('homeserver_unclear');
  return { is: 'more_stages', homeserverStages: next };
}

/** @throws Refusal homeserver_unclear */
export function unrelated(answer: HomeserverAnswer, sent: JsonObject): Verdict {
  if (answer.status === 401 && answer.json?.flows !== undefined) throw new Refusal('homeserver_unclear');
  return { is: 'unrelated', answer: rebuildError(answer, sent) };
}

/** One server says 403 of a wrong password, another 400 where passwords are switched off (docs/homeservers.md). */
function mayMeanThePassword({ status, json }: HomeserverAnswer): boolean {
  return (
    (status === 403 && json?.errcode === 'M_FORBIDDEN') || (status === 400 && json?.errcode === 'M_UNKNOWN')
  );
}
