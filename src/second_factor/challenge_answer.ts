import type { FactorDescription } from '../factors/description.ts';
import type { Answer } from '../http/answer.ts';
import type { Outcome } from '../matrix/outcome.ts';
import { isSecondFactorStage, PASSWORD_STAGE } from '../matrix/wire.ts';
import { type ChallengeError, challengeOf } from '../uia/challenge.ts';
import { nextStages, type Session } from '../uia/session.ts';
import type { RefusedCodeReason } from './code_unit.ts';

/** The ways in that the operator offers beside the stages. */
export interface OfferedWays {
  /** Whether a code may stand behind the password. */
  readonly appendedCode: boolean;
  /** Whether our pages are there, so that single sign-on leads to one that asks for the code. */
  readonly pages: boolean;
  /** The page that explains it, for people. */
  readonly helpUrl: string;
  /** Where people change what they sign in with. */
  readonly accountUrl: string;
}

/** @param publicBaseUrl what clients use: an origin without a slash at the end */
export function pageUrls(publicBaseUrl: string): Pick<OfferedWays, 'helpUrl' | 'accountUrl'> {
  return { helpUrl: `${publicBaseUrl}/_2fa/help`, accountUrl: `${publicBaseUrl}/_2fa/account` };
}

/**
 * To a client that brought a password and no code, and may know nothing of codes: what its user can do.
 *
 * @param hasTyped Whether they have a primary factor whose codes are typed, and not only a passkey, say.
 */
export function codeWanted(ways: OfferedWays, hasTyped: boolean): ChallengeError {
  const { appendedCode, pages, helpUrl, accountUrl } = ways;
  const typed = hasTyped
    ? 'Type the current code of your authenticator app, or a recovery code, directly after your password.'
    : 'Type a recovery code directly after your password.';
  const way = appendedCode
    ? typed
    : pages
      ? `Choose single sign-on (SSO) in your client: its page asks for ${hasTyped ? 'the code' : 'it'}.`
      : 'Use a client that asks for the code in a field of its own.';
  const others = hasTyped ? '' : ` Other ways for this client: ${accountUrl}.`;
  return {
    errcode: 'M_FORBIDDEN',
    error: `Two-factor authentication is on for this account. ${way}${others} Help: ${helpUrl}`,
    refused: undefined,
  };
}

export const PASSWORD_REFUSED: ChallengeError = {
  errcode: 'M_FORBIDDEN',
  error: 'The password is not right.',
  refused: 'wrong_password',
};

/** Wrong, spent and malformed proofs alike to the client (attack 87); the operator is told which. */
export function codeRefused(
  reason: RefusedCodeReason,
  factor?: Pick<FactorDescription, 'refused'>,
): ChallengeError {
  return {
    errcode: 'M_FORBIDDEN',
    error: factor?.refused ?? 'The code is not right, or was used already: each code works once.',
    refused: reason,
  };
}

/** To a code that was refused, or answers a question that is not open any more: that one was answered once. */
export function refusalOf(
  outcome: { readonly is: string; readonly reason?: RefusedCodeReason },
  factor?: Pick<FactorDescription, 'refused'>,
): ChallengeError {
  return codeRefused(outcome.reason ?? 'spent_code', factor);
}

export const SESSION_UNKNOWN: ChallengeError = {
  errcode: 'M_FORBIDDEN',
  error: 'This authentication session is unknown or has expired. Please sign in again.',
  refused: 'session',
};

/** A stage that is offered, but not now (R7). */
export const WRONG_ORDER: ChallengeError = {
  errcode: 'M_FORBIDDEN',
  error: 'This authentication stage cannot come now.',
  refused: 'request',
};

/** The 401 that tells a client where its session stands. */
export function challenge(
  session: Pick<Session, 'id' | 'flows' | 'completed'>,
  error?: ChallengeError,
): Answer {
  return { status: 401, body: challengeOf(session, error), outcome: outcomeOf(session, error) };
}

function outcomeOf(
  session: Pick<Session, 'flows' | 'completed'>,
  error: ChallengeError | undefined,
): Outcome {
  if (error?.refused !== undefined) return { is: 'refused', reason: error.refused };
  const next = nextStages(session.flows, session.completed);
  if (next.some(isSecondFactorStage)) return { is: 'challenged', reason: 'factor' };
  // Nothing is left to prove: the client sends the same request once more.
  const isOurs = next.length === 0 || next.includes(PASSWORD_STAGE);
  return { is: 'challenged', reason: isOurs ? 'password' : 'homeserver' };
}
