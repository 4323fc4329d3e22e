import { Refusal } from '../matrix/refusals.ts';
import { retryAfterMs } from './answer_fields.ts';
import type { HomeserverAnswer } from './homeserver.ts';

const REFUSED_THERE = { is: 'refused', reason: 'homeserver' } as const;

/** The `errcode` of an answer, if it has one. */
export function errcodeOf(answer: HomeserverAnswer): string | undefined {
  const errcode = answer.json?.errcode;
  return typeof errcode === 'string' ? errcode : undefined;
}

/**
 * The refusal where the homeserver does not answer one of our own questions. Its texts stay out of it (R11), and an
 * answer that is not understood is "unclear", never "no" (R9, attack 72).
 */
export function answerRefusal(answer: HomeserverAnswer): Refusal {
  const errcode = errcodeOf(answer);
  if (answer.status === 401 && errcode === 'M_UNKNOWN_TOKEN') return deadToken(answer);
  if (errcode === 'M_USER_DEACTIVATED') {
    return new Refusal('forbidden', { text: 'This account has been deactivated.', outcome: REFUSED_THERE });
  }
  if (errcode === 'M_USER_LOCKED') {
    return new Refusal('forbidden', { text: 'This account has been locked.', outcome: REFUSED_THERE });
  }
  if (answer.status === 429) {
    const retry = retryAfterMs(answer);
    return new Refusal('limit_exceeded', {
      limit: 'homeserver',
      ...(retry === undefined ? {} : { retryAfterMs: retry }),
    });
  }
  return new Refusal('homeserver_unclear');
}

/** Without the word "soft" clients throw their keys away (spec, "Soft logout"). */
function deadToken(answer: HomeserverAnswer): Refusal {
  const softLogout = answer.json?.soft_logout;
  return new Refusal('unknown_token', typeof softLogout === 'boolean' ? { softLogout } : {});
}
