import { type Html, html } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

/** The field with the question that the browser was asked. */
export const QUESTION = 'question';

/**
 * The button for a sign-in by a passkey alone. The script asks the browser and sends its answer; without it, or where it
 * cannot, there is no dead button but a sentence. Browsers that can offer the passkeys in the field for the name, too.
 */
export function loneForm(form: {
  readonly say: Say;
  readonly hidden: Html;
  readonly action: string;
  /** The field for the answer. */
  readonly field: string;
  readonly question: string;
  readonly params: object;
}): Html {
  const { say, hidden, action, field, question, params } = form;
  return html`<form method="post" action="${action}" data-webauthn-options="${JSON.stringify(params)}" data-offered-in-field>
${hidden}
<input type="hidden" name="${QUESTION}" value="${question}">
<input type="hidden" name="${field}">
<p class="muted small" data-unsupported>${say('signIn.passkeyUnsupported')}</p>
<button class="button quiet full" type="button" hidden>${say('signIn.passkey')}</button>
</form>`;
}
