import { stateIn } from './account_state.js';
import { element } from './dom.js';
import { icon } from './icons.js';
import { say } from './texts.js';
import { CALLS } from './wire.js';

/** @typedef {import('./account_state.js').Authenticator} Authenticator */

/** What is to be known of a passkey, in its row. @param {Authenticator} authenticator */
export function remarks({ id, backed_up: isBackedUp, usable, counter_alert_at: alertAt }) {
  return element(
    'div',
    { id: `remarks-${id}` },
    isBackedUp === true && element('p', {}, say('auth.backedUp')),
    usable === false && remark(say('auth.unusable')),
    alertAt !== undefined && alertAt !== null && remark(say('auth.copied')),
  );
}

/** What is wrong with the thing of a row. @param {string} text */
export function remark(text) {
  return element('p', { class: 'remark' }, icon('warning'), text);
}

/**
 * Has each row say what the server knows by now. All else stays on the page, so that the focus goes back to what had it.
 *
 * @param {import('./page.js').AccountPage} page
 */
export async function renewRemarks(page) {
  const answer = await page.api.call(CALLS.state);
  const state = answer.is === 'done' ? stateIn(answer.body) : undefined;
  for (const authenticator of state?.authenticators ?? []) {
    document.getElementById(`remarks-${authenticator.id}`)?.replaceWith(remarks(authenticator));
  }
}
