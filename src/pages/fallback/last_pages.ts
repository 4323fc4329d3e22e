import type { Answer } from '../../http/answer.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { html } from '../shell/html.ts';
import { doneCard } from './fallback_cards.ts';

const DONE_SCRIPT = 'auth_done.js';

/**
 * All stages are done.
 * @param codesLeft after a proof by a recovery code
 */
export function done({ say, render }: PageVisit, codesLeft?: number): Answer {
  return render({
    title: say('approve.done.title'),
    script: DONE_SCRIPT,
    body: () => doneCard(say, codesLeft),
  });
}

/** Unknown, expired, another user's, dead: one page and one status for all (attack 64). */
export function gone({ say, render }: PageVisit): Answer {
  const title = say('approve.expired.title');
  const outcome = { is: 'refused', reason: 'session' } as const;
  return render({
    title: say('shell.error', { title }),
    refusal: { status: 410, outcome },
    body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${say('approve.expired.text')}</p></section>`,
  });
}
