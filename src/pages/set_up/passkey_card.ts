import type { ShownSetUp } from '../../account/session_set_ups.ts';
import { type Html, html } from '../shell/html.ts';
import { backStep, type Card, nameField, step, wordsOf } from './set_up_cards.ts';

/** Has the browser make a passkey: its script asks, and sends the answer. Without it a sentence says where it can be done. */
export function passkeyCard(
  card: Card & {
    readonly shown: Extract<ShownSetUp, { is: 'passkey' }>;
    readonly problem: string | undefined;
  },
): Html {
  const { say, place, shown, problem } = card;
  const content = html`<input type="hidden" name="setup_id" value="${shown.setupId}">
<input type="hidden" name="credential">
<p class="notice warning" role="alert" data-problem${problem === undefined && html` hidden`}>${problem}</p>
${nameField(say)}
<p data-unsupported>${say('setup.passkeyUnsupported')}</p>
<button class="button full" type="button" hidden>${say('setup.next')}</button>`;
  const asks = html` data-new-passkey="${JSON.stringify(shown.question)}" data-known="${say('setup.passkeyKnown')}"
 data-failed="${say('setup.passkeyFailed')}"`;
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${wordsOf(say, place).title}</h1>
<p>${say('setup.passkeyText')}</p>
<p class="muted">${say('help.passkey.text')}</p>
${step(card, 'set_up_code', content, asks)}
${backStep(card)}
</section>`;
}
