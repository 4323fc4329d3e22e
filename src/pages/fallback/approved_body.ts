import type { FallbackStanding } from '../../guard/guarded_page.ts';
import type { Form } from '../../http/form.ts';
import { type Html, html } from '../shell/html.ts';

const FIELD = 'about';

/** Names, in each form, the body that it asks for an approval of. */
export function aboutField(standing: FallbackStanding): Html {
  return html`<input type="hidden" name="${FIELD}" value="${nameOf(standing)}">`;
}

/** Whether a form was shown for the body that is bound now. */
export function isAbout(form: Form, standing: FallbackStanding): boolean {
  return form.get(FIELD) === nameOf(standing);
}

function nameOf({ session }: FallbackStanding): string {
  return session.bodyDigest ?? 'nothing';
}
