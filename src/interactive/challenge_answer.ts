import type { Answer } from '../http/answer.ts';
import { type ChallengeError, challengeOf } from '../uia/challenge.ts';
import type { Session } from '../uia/session.ts';

/** To a client that brought a password and no code, and may know nothing of codes. */
export const CODE_WANTED: ChallengeError = {
  errcode: 'M_FORBIDDEN',
  error:
    'Two-factor authentication is on for this account. Type the current code of your authenticator app, or a recovery code, directly after your password.',
};

/** Wrong, spent and malformed codes alike (attack 87). */
export const CODE_REFUSED: ChallengeError = { errcode: 'M_FORBIDDEN', error: 'The code is not right.' };

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
