import type { Refusal } from '../../matrix/refusals.ts';
import { MINUTE, SECOND } from '../../system/clock.ts';
import type { Texts } from '../texts/en.ts';
import { counted, type Say } from '../texts/texts.ts';

/** Says how long the user has to wait after a 429. */
export function waitText({ problems }: Texts, refusal: Refusal): string {
  if (refusal.refusal === 'totp_shut') return problems.totpShut;
  const wait = refusal.retryAfterMs ?? SECOND;
  const time =
    wait < 2 * MINUTE
      ? counted(problems.waitSeconds, Math.ceil(wait / SECOND))
      : counted(problems.waitMinutes, Math.ceil(wait / MINUTE));
  return refusal.refusal === 'totp_waits' ? `${time} ${problems.orRecoveryCode}` : time;
}

/** A waiting time in words, rounded up. */
export function waitTime(say: Say, ms: number): string {
  return ms < 2 * MINUTE
    ? say('time.seconds', { count: Math.max(1, Math.ceil(ms / SECOND)) })
    : say('time.minutes', { count: Math.ceil(ms / MINUTE) });
}
