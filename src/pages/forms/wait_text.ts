import type { Refusal } from '../../matrix/refusals.ts';
import { MINUTE, SECOND } from '../../system/clock.ts';
import type { Say } from '../texts/texts.ts';

/** Says how long a code has to wait after a 429. */
export function waitText(say: Say, refusal: Refusal): string {
  if (refusal.refusal === 'totp_shut') return say('code.shut');
  const time = waitTime(say, refusal.retryAfterMs ?? SECOND);
  const text = say('code.wait', { time });
  return refusal.refusal === 'totp_waits' ? `${text} ${say('code.orRecovery')}` : text;
}

/** A waiting time in words, rounded up. */
export function waitTime(say: Say, ms: number): string {
  return ms < 2 * MINUTE
    ? say('time.seconds', { count: Math.max(1, Math.ceil(ms / SECOND)) })
    : say('time.minutes', { count: Math.ceil(ms / MINUTE) });
}
