import type { Answer } from '../http/answer.ts';
import { type ChallengeError, challengeOf } from '../uia/challenge.ts';
import type { Session } from '../uia/session.ts';

/** The ways in that the operator offers beside the stages. */
export interface OfferedWays {
  /** Whether a code may stand behind the password. */
  readonly appendedCode: boolean;
  /** Whether our pages are there, so that single sign-on leads to one that asks for the code. */
  readonly pages: boolean;
}

/** To a client that brought a password and no code, and may know nothing of codes: what its user can do. */
export function codeWanted({ appendedCode, pages }: OfferedWays): ChallengeError {
  const ways = appendedCode
    ? 'Type the current code of your authenticator app, or a recovery code, directly after your password.'
    : pages
      ? 'Choose single sign-on (SSO) in your client: its page asks for the code.'
      : 'Use a client that asks for the code in a field of its own.';
  return {
    errcode: 'M_FORBIDDEN',
    error: `Two-factor authentication is on for this account. ${ways}`,
  };
}

/** Wrong, spent and malformed codes alike (attack 87). */
export const CODE_REFUSED: ChallengeError = {
  errcode: 'M_FORBIDDEN',
  error: 'The code is not right, or was used already: each code works once.',
};

/** A stage that is offered, but not now (R7). */
export const WRONG_ORDER: ChallengeError = {
  errcode: 'M_FORBIDDEN',
  error: 'This authentication stage cannot come now.',
};

/** The 401 that tells a client where its session stands. */
export function challenge(
  session: Pick<Session, 'id' | 'flows' | 'completed'>,
  error?: ChallengeError,
): Answer {
  return { status: 401, body: challengeOf(session, error) };
}
