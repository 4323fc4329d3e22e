import { button, element, Field } from './dom.js';
import { digits, problems, texts } from './texts.js';
import { RECOVERY_STAGE, TOTP_STAGE } from './wire.js';

/**
 * The field for a code, with the other kind of code one press away: a user without their phone must see the way.
 */
export class CodeField {
  /**
   * @param {{ onComplete?: () => void, onKind?: (isRecovery: boolean) => void, onlyApp?: boolean }} [options]
   *   `onComplete`: all digits are there; `onlyApp`: no recovery code will do, and no code was used yet
   */
  constructor({ onComplete, onKind, onlyApp = false } = {}) {
    this.isRecovery = false;
    this.onlyApp = onlyApp;
    this.onKind = onKind;
    this.refused = '';
    this.field = new Field(texts.code.label, {
      class: 'code',
      name: 'code',
      autocomplete: 'one-time-code',
      autocapitalize: 'none',
      spellcheck: 'false',
      oninput: () => {
        if (onComplete && !this.isRecovery && this.isComplete()) onComplete();
      },
    });
    this.switch = button('', () => this.#choose(!this.isRecovery), { look: 'link' });
    this.element = element('div', { class: 'with-switch' }, this.field.element, this.switch);
    this.#describe();
  }

  get value() {
    return this.field.value.trim();
  }

  get stage() {
    return this.isRecovery ? RECOVERY_STAGE : TOTP_STAGE;
  }

  /** What goes to the server: digits may be typed or pasted with blanks. */
  get token() {
    return this.isRecovery ? this.value : this.value.replaceAll(/[\s-]/g, '');
  }

  /** Whether there is anything that could be a code. */
  isMissing() {
    return this.value.replaceAll(/[\s\-\u2010-\u2015\u2212]/g, '') === '';
  }

  /** Whether a code of the app is there that was not refused just now. */
  isComplete() {
    return this.token.length === digits && /^\d+$/.test(this.token) && this.token !== this.refused;
  }

  /** @param {string} [why] */
  refuse(why = this.isRecovery ? problems.wrongRecoveryCode : problems.wrongCode) {
    this.refused = this.token;
    this.field.fail(why);
  }

  clear() {
    this.field.clear();
  }

  /** The code was right and need not be given again. */
  accept() {
    this.field.input.readOnly = true;
    this.field.hint.textContent = texts.proof.codeAccepted;
    this.switch.hidden = true;
  }

  /** A new code is wanted. */
  reopen() {
    this.field.input.readOnly = false;
    this.field.input.value = '';
    this.#describe();
  }

  /** @param {boolean} isRecovery */
  #choose(isRecovery) {
    this.isRecovery = isRecovery;
    this.field.input.value = '';
    this.field.clear();
    this.#describe();
    this.field.input.focus();
    this.onKind?.(isRecovery);
  }

  #describe() {
    const { label, input, hint } = this.field;
    label.textContent = this.isRecovery ? texts.code.recoveryLabel : texts.code.label;
    hint.textContent = this.isRecovery ? texts.code.recoveryHint : texts.code.hint;
    hint.hidden = this.onlyApp;
    this.switch.hidden = this.onlyApp;
    input.inputMode = this.isRecovery ? 'text' : 'numeric';
    this.switch.textContent = this.isRecovery ? texts.code.useApp : texts.code.useRecovery;
  }
}
