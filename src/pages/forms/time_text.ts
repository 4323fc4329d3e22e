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
