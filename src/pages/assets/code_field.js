import { button, element, Field } from './dom.js';
import { digits, say } from './texts.js';
import { APP_STAGE, RECOVERY_STAGE } from './wire.js';

/**
 * The field for a code, with the other kind of code one press away: a user without their phone must see the way.
 */
export class CodeField {
  /**
   * @param {{ only?: 'app' | 'recovery' }} [options] `app`: no recovery code will do, and no code was used yet
   */
  constructor({ only } = {}) {
    this.isRecovery = only === 'recovery';
    this.only = only;
    this.field = new Field(say('code.label'), {
      class: 'code',
      name: 'code',
      autocomplete: 'one-time-code',
      autocapitalize: 'none',
      spellcheck: 'false',
    });
    this.switch = button('', () => this.#choose(!this.isRecovery), { look: 'link' });
    this.element = element('div', { class: 'with-switch' }, this.field.element, this.switch);
    this.#describe();
  }

  get value() {
    return this.field.value.trim();
  }

  get stage() {
    return this.isRecovery ? RECOVERY_STAGE : APP_STAGE;
  }

  /** What goes to the server: digits may be typed or pasted with blanks. */
  get token() {
    return this.isRecovery ? this.value : this.value.replaceAll(/[\s-]/g, '');
  }

  /** Whether there is anything that could be a code. */
  isMissing() {
    return this.value.replaceAll(/[\s\-\u2010-\u2015\u2212]/g, '') === '';
  }

  /** @param {string} [why] */
  refuse(why = say(this.isRecovery ? 'code.wrongRecovery' : 'code.wrong')) {
    this.field.fail(why);
  }

  clear() {
    this.field.clear();
  }

  /** The code was right and need not be given again. */
  accept() {
    this.field.input.readOnly = true;
    this.field.hint.textContent = say('proof.codeAccepted');
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
  }

  #describe() {
    const { label, input, hint } = this.field;
    label.textContent = say(this.isRecovery ? 'code.recoveryLabel' : 'code.label');
    hint.replaceChildren(
      ...withWholeCodes(this.isRecovery ? say('code.recoveryHint') : say('code.intro', { digits })),
    );
    hint.hidden = this.only === 'app';
    this.switch.hidden = this.only !== undefined;
    input.inputMode = this.isRecovery ? 'text' : 'numeric';
    this.switch.textContent = say(this.isRecovery ? 'code.useApp' : 'code.useRecovery');
  }
}

/** A code in a sentence is not broken at its hyphens. @param {string} text */
function withWholeCodes(text) {
  const parts = text.split(/(\w{4}-\w{4}-\w{4})/);
  return parts.map((part, n) => (n % 2 === 1 ? element('span', { class: 'whole' }, part) : part));
}
