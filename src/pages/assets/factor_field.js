import { CodeField } from './code_field.js';
import { button, element, notice } from './dom.js';
import { canAsk } from './passkey.js';
import { say } from './texts.js';
import { APP, PASSKEY } from './wire.js';

/** @typedef {import('./page.js').AccountPage} AccountPage */

/** What is asked for beside the password, in a sentence. @param {AccountPage} page */
export function proofText({ state }) {
  const { hasPasskey, hasApp } = waysOf(state);
  if (!hasPasskey) return say('proof.both');
  return say(hasApp ? 'proof.passkeyOrCode' : 'proof.passkey');
}

/** @param {import('./account_state.js').State} state */
function waysOf({ authenticators }) {
  return {
    hasPasskey: authenticators.some(({ kind, usable }) => kind === PASSKEY && usable === true),
    hasApp: authenticators.some(({ kind }) => kind === APP),
  };
}

/**
 * The second factor in a dialog: a passkey at the press of a button, or a code. A user who has no app is asked for a passkey,
 * with the recovery code as the other way.
 */
export class FactorField {
  /**
   * @param {import('./account_state.js').State} state
   * @param {() => Promise<void>} usePasskey
   */
  constructor(state, usePasskey) {
    const { hasPasskey, hasApp } = waysOf(state);
    this.code = new CodeField(hasApp ? {} : { only: 'recovery' });
    this.isPasskeyFirst = hasPasskey && canAsk() && !hasApp;
    this.refusal = element('div');
    this.button =
      hasPasskey && canAsk() ? button(say('code.passkey'), usePasskey, { look: 'second full' }) : undefined;
    this.ways = element(
      'div',
      {},
      this.refusal,
      hasPasskey && (this.button ?? element('p', {}, say('code.passkeyUnsupported'))),
      this.isPasskeyFirst
        ? element('details', {}, element('summary', {}, say('code.useRecovery')), this.code.element)
        : this.code.element,
    );
    this.accepted = element('p', { class: 'hint', role: 'status' });
    this.element = element('div', {}, this.ways, this.accepted);
    this.clear();
  }

  /** Whether nothing was typed that could be a code. */
  isMissing() {
    return this.code.isMissing();
  }

  focus() {
    if (this.isPasskeyFirst) this.button?.focus();
    else this.code.field.input.focus();
  }

  failMissing() {
    this.code.field.fail(say('code.missing'));
  }

  clear() {
    this.refusal.replaceChildren();
    this.code.clear();
  }

  /** The passkey was not accepted: nothing that was typed is wrong. */
  refusePasskey() {
    const told = notice('bad', say('code.passkeyRefused'));
    told.setAttribute('role', 'alert');
    this.refusal.replaceChildren(told);
  }

  /** @param {boolean} isPasskey Whether it was that, and not the code, which need not be given again. */
  accept(isPasskey) {
    if (!isPasskey) this.code.accept();
    if (this.button) this.button.hidden = true;
    this.ways.hidden = isPasskey;
    this.accepted.textContent = isPasskey ? say('proof.passkeyAccepted') : '';
  }

  /** Another one is wanted. */
  reopen() {
    this.code.reopen();
    if (this.button) this.button.hidden = false;
    this.ways.hidden = false;
    this.accepted.textContent = '';
  }
}
