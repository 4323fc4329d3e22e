import type { Outcome } from '../../matrix/outcome.ts';
import { SECOND } from '../../system/clock.ts';
import { type Html, html } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';
import type { FormPage } from './form_page.ts';
import { waitTime } from './time_text.ts';

/** How a reader gets on from an error page. */
type WayOn = 'signInAgain' | 'backToApp' | 'reload' | 'tryAgain' | 'none';

interface ErrorRow {
  readonly status: number;
  readonly outcome: Outcome;
  readonly way: WayOn;
}

const SESSION = { is: 'refused', reason: 'session' } as const;
const REQUEST = { is: 'refused', reason: 'request' } as const;

/** Each error page with its cause. */
const ROWS = {
  /** The sign-in is known here, and over. */
  expired: { status: 410, outcome: SESSION, way: 'signInAgain' },
  /** The visit is unknown, or another browser's. */
  unknown: { status: 410, outcome: SESSION, way: 'backToApp' },
  used: { status: 410, outcome: SESSION, way: 'signInAgain' },
  /** As many codes were wrong as a sign-in may have. */
  tooMany: { status: 429, outcome: SESSION, way: 'signInAgain' },
  /** Factors or password were changed meanwhile. */
  changed: { status: 403, outcome: SESSION, way: 'signInAgain' },
  /** The homeserver's single sign-on says that it is someone else. */
  otherAccount: { status: 403, outcome: SESSION, way: 'tryAgain' },
  /** The client did not say where to go back to, or named a place that is not allowed. */
  link: { status: 400, outcome: REQUEST, way: 'none' },
  /** The form was not sent by our page. */
  form: { status: 403, outcome: REQUEST, way: 'reload' },
  unreadable: { status: 400, outcome: REQUEST, way: 'reload' },
  /** The store or the homeserver is away. */
  down: { status: 503, outcome: { is: 'failed', reason: 'homeserver_down' }, way: 'tryAgain' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCause = keyof typeof ROWS;

export interface ErrorPage {
  readonly cause: ErrorCause;
  /** Where the way on leads: where the sign-in began, or the page itself. */
  readonly href?: string | undefined;
  /** How the operator's server is called. */
  readonly server: string;
  readonly waitMs?: number | undefined;
  /** The outcome of the refusal that it tells of, where there was one. */
  readonly refusal?: { readonly status: number; readonly outcome: Outcome } | undefined;
}

/** The page that tells why it does not go on, and what its reader can do. */
export function errorPage(say: Say, { cause, href, server, waitMs, refusal }: ErrorPage): FormPage {
  const { status, outcome, way } = ROWS[cause];
  const title = say(`error.${cause}.title`);
  const waits = waitMs !== undefined && waitMs > 0;
  return {
    title,
    refusal: {
      status: refusal?.status ?? status,
      outcome: refusal?.outcome ?? outcome,
      retryAfterMs: waits ? waitMs : undefined,
    },
    body: () => html`<section class="card stack"><h1 tabindex="-1" autofocus>${title}</h1>
<p>${textOf(say, cause, server, waitMs ?? SECOND)}</p>
${wayOn(say, way, href)}</section>`,
  };
}

function textOf(say: Say, cause: ErrorCause, server: string, waitMs: number): string {
  if (cause === 'tooMany') return say('error.tooMany.text', { time: waitTime(say, waitMs) });
  if (cause === 'down') return say('error.down.text', { server });
  return say(`error.${cause}.text`);
}

function wayOn(say: Say, way: WayOn, href: string | undefined): Html | undefined {
  if (way === 'none') return undefined;
  if (way === 'backToApp') return html`<p>${say('error.backToApp')}</p>`;
  if (href === undefined) return undefined;
  const text = way === 'tryAgain' ? say('shell.tryAgain') : say(`error.${way}`);
  return html`<p><a class="button full" href="${href}">${text}</a></p>`;
}
