import { type Html, html } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

/**
 * How many recovery codes are left after one was used, and what to do about it.
 * @param replaceAt where a lost authenticator can be replaced at once; without it the account page is named
 */
export function recoveryNotice(say: Say, count: number, replaceAt?: string): Html {
  if (replaceAt !== undefined) {
    return html`<div class="notice warning"><p><b>${say('confirm.recovery', { count })}</b></p>
<p>${say('confirm.recoveryLost')}</p>
<p><a class="button quiet row" href="${replaceAt}">${say('confirm.replace')}</a></p></div>`;
  }
  return html`<div class="notice warning"><p>${say('confirm.recovery', { count })}</p>
<p><a href="/_2fa/account" target="_blank" rel="noopener">${say('shell.account')} ${say('shell.newTab')}</a></p></div>`;
}
