import type { Answer } from '../../http/answer.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { waitTime } from '../forms/time_text.ts';
import { type Contact, contactText } from '../shell/contact.ts';
import { type Html, html } from '../shell/html.ts';
import { doneCard } from './fallback_cards.ts';
import type { EndedApproval } from './fallback_visit.ts';

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
export function gone(visit: PageVisit): Answer {
  const { say } = visit;
  const title = say('approve.expired.title');
  return last(visit, { status: 410, title, text: html`${say('approve.expired.text')}` });
}

/** Why nothing comes of it any more, for the browser in which it ended. */
export function ended(
  visit: PageVisit,
  { cause }: EndedApproval,
  { waitMs, contact }: { readonly waitMs: number | undefined; readonly contact: Contact | undefined },
): Answer {
  const { say, server } = visit;
  switch (cause) {
    case 'over':
      return gone(visit);
    case 'tooManyCodes': {
      const text = html`${say('approve.tooMany.text', { time: waitTime(say, waitMs ?? 0) })}`;
      return last(visit, { status: 429, title: say('error.tooMany.title'), text, waitMs });
    }
    case 'tooManyPasswords': {
      const text = html`${say('approve.tooManyPasswords.text')}`;
      return last(visit, { status: 429, title: say('approve.tooManyPasswords.title'), text });
    }
    case 'oauth':
      return last(visit, {
        status: 403,
        title: say('approve.oauth.title'),
        text: html`${say('approve.oauth.text')}`,
      });
    case 'closed': {
      const text = html`${say('approve.closed.text')} ${contactText(say, contact, server)}`;
      return last(visit, { status: 403, title: say('approve.closed.title'), text });
    }
    case 'noPassword': {
      const text = html`${say('approve.noPassword.text')} ${contactText(say, contact, server)}`;
      return last(visit, { status: 403, title: say('approve.noPassword.title'), text });
    }
  }
}

interface LastPage {
  readonly status: number;
  readonly title: string;
  readonly text: Html;
  readonly waitMs?: number | undefined;
}

function last({ say, render }: PageVisit, { status, title, text, waitMs }: LastPage): Answer {
  return render({
    title: say('shell.error', { title }),
    refusal: { status, outcome: { is: 'refused', reason: 'session' }, retryAfterMs: waitMs || undefined },
    body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${text}</p></section>`,
  });
}
