import type { SetUpKind } from '../../account/session_set_ups.ts';
import { type Html, html } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

/**
 * The buttons of a form that begins a set-up: one for each kind. That for a passkey is there where the browser can make
 * one; where nothing else will do it is there in any case, and the next page says where it can be done.
 */
export function kindButtons(say: Say, kinds: readonly SetUpKind[], first: string): Html {
  const app = kinds.find(({ is }) => is === 'secret');
  const passkey = kinds.find(({ is }) => is === 'passkey');
  if (passkey === undefined || app === undefined) {
    return html`<button class="button full" name="kind" value="${(app ?? passkey)?.kind ?? ''}">${first}</button>`;
  }
  return html`<button class="button full" name="kind" value="${app.kind}">${first}</button>
<button class="button quiet full" name="kind" value="${passkey.kind}" data-makes-passkeys hidden>${say('setup.passkeyInstead')}</button>`;
}
