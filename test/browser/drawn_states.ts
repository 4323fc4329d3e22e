import { doneCard } from '../../src/pages/fallback/fallback_cards.ts';
import { type ErrorCause, errorPage } from '../../src/pages/forms/error_pages.ts';
import { html } from '../../src/pages/shell/html.ts';
import { credentialsCard } from '../../src/pages/sign_in/sign_in_cards.ts';
import type { Say } from '../../src/pages/texts/texts.ts';
import type { PageState } from './page_visit.ts';

const SERVER = 'matrix.example.org';
const WAIT_MS = 120_000;

/** Error pages that no visit of the others ends at. */
const CAUSES: readonly (readonly [ErrorCause, string])[] = [
  ['expired', 'A sign-in that was open too long'],
  ['unknown', 'A page of another browser'],
  ['used', 'Back, after a sign-in'],
  ['tooMany', 'As many codes were wrong as a sign-in may have'],
  ['changed', 'The account was changed during the sign-in'],
  ['unreadable', 'A form that was cut off'],
  ['down', 'The homeserver is away, and no form is there to keep'],
];

/** States as their views draw them: to reach them would take waits, failures and further servers. */
export const DRAWN_STATES: readonly PageState[] = [
  ...CAUSES.map(([cause, says]) => ({
    name: `error-${cause}`,
    says,
    reach: (visit: Parameters<PageState['reach']>[0]) =>
      visit.draw((say) => {
        const page = errorPage(say, { cause, href: '/_2fa/login', server: SERVER, waitMs: WAIT_MS });
        return page.body(html``, '');
      }),
  })),
  {
    name: 'approve-done',
    says: 'The fallback page: all is proven, and the client did not close it',
    reach: (visit) => visit.draw(doneCard),
  },
  signInSaying('sign-in-limited', 'Too many attempts from this network', (say) =>
    say('signIn.limited', { time: say('time.minutes', { count: 2 }) }),
  ),
  signInSaying('sign-in-limited-by-server', 'The homeserver limits sign-ins', (say) =>
    say('signIn.limitedByServer', { time: say('time.minutes', { count: 2 }) }),
  ),
  signInSaying('sign-in-away', 'The homeserver is away', (say) => say('error.down.text', { server: SERVER })),
];

/** The sign-in page with something to tell above its form. */
function signInSaying(name: string, says: string, problem: (say: Say) => string): PageState {
  return {
    name,
    says,
    reach: (visit) =>
      visit.draw((say) =>
        credentialsCard({
          say,
          hidden: html``,
          action: '',
          way: { target: { href: 'https://app.example.org/', kind: 'site', name: 'app.example.org' } },
          name: 'alice',
          field: undefined,
          problem: problem(say),
          server: SERVER,
        }),
      ),
  };
}
