import { HOUR, MINUTE, SECOND } from '../../system/clock.ts';
import type { Say } from '../texts/texts.ts';

/** From here on days are easier to grasp. */
const HOURS_IN_WORDS = 72;

/** A waiting time in words, rounded up. */
export function waitTime(say: Say, ms: number): string {
  return ms < 2 * MINUTE
    ? say('time.seconds', { count: Math.max(1, Math.ceil(ms / SECOND)) })
    : say('time.minutes', { count: Math.ceil(ms / MINUTE) });
}

/** A wait of hours or days in words; days only where they are whole ones. */
export function longTime(say: Say, ms: number): string {
  const hours = Math.ceil(ms / HOUR);
  return hours >= HOURS_IN_WORDS && hours % 24 === 0
    ? say('time.days', { count: hours / 24 })
    : say('time.hours', { count: hours });
}
