import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import { type Html, html } from '../shell/html.ts';

/** As long as an address with a request may be (`authorize_page` in `http/routes.ts`). */
const LONGEST = 16 * 1024;

/** The field in which the request of an app travels to the first form. */
const FIELD = 'request';
/** The language that a reader chose on the page is not of the request. */
const OURS: readonly string[] = ['lang'];

/** The request of an app, as it came in the address: what came twice is there twice. */
export function requestIn({ raw }: ClientRequest): string {
  const asked = [...new URLSearchParams(raw?.query)].filter(([name]) => !OURS.includes(name));
  return new URLSearchParams(asked).toString();
}

export function requestInForm(query: string): Html {
  return html`<input type="hidden" name="${FIELD}" value="${query}">`;
}

/** Undefined if a form brings none, or more than an address could. */
export function requestField(form: Form): string | undefined {
  const asked = form.get(FIELD);
  // It was written again for the form, where an escape takes three characters.
  return asked === undefined || asked.length > 3 * LONGEST ? undefined : asked;
}
