import { HOUR, MINUTE, SECOND } from '../../system/clock.ts';
import { type Html, html } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

/** In UTC: the server does not know the reader's time zone. */
export function timeText(at: number, { language }: Say): Html {
  const style = { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' } as const;
  // Day before month and 24 hours, which readers of all countries take for the same day.
  const written = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, style).format(at);
  // In a narrow window the date may stand above the time, and neither breaks.
  const unbroken = `${written} UTC`.replaceAll(' ', '\u00a0').replace(',\u00a0', ', ');
  return html`<time datetime="${new Date(at).toISOString()}">${unbroken}</time>`;
}

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
