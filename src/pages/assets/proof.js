import { Conversation } from './conversation.js';
import { nameField, newDialog, Work } from './dialog.js';
import { button, element, Field, form } from './dom.js';
import { FactorField } from './factor_field.js';
import { renewRemarks } from './remarks.js';
import { problemText, say, withoutPassword } from './texts.js';
import { PASSKEY_STAGE, RECOVERY_STAGE } from './wire.js';

/**
 * @template Body
 * @typedef {object} ProofOptions
 * @property {string} title
 * @property {string} [text] what is about to happen
 * @property {string} [action] what stands on the button
 * @property {boolean} [danger]
 * @property {'remembered' | 'typed'} [stepUp] a factor of the last minutes counts for it; the password is asked for at the
 *   first such act of a load only, or each time. Without it password and a fresh factor are asked for, always
 * @property {{ label: string, value: string, hint: string }} [name] something to be named beside
 * @property {HTMLElement | undefined} [choice] what else is asked for, before the proof
 * @property {(name: string) => import('./conversation.js').GuardedRequest<Body>} request
 */

/**
 * Asks for what the act needs, and makes the request with it: the password, and where 2FA is on a passkey or a code, unless a
 * factor of the last minutes counts.
 *
 * @template Body
 * @param {import('./page.js').AccountPage} page
 * @param {ProofOptions<Body>} options
 * @returns {Promise<Body | undefined>} the answer's body; undefined if the user gave up
 */
export function askProof(page, options) {
  return new Promise((resolve) => new ProofDialog(page, options, resolve).open());
}

/** @template Body */
class ProofDialog {
  /**
   * @param {import('./page.js').AccountPage} page
   * @param {ProofOptions<Body>} options
   * @param {(granted: Body | undefined) => void} resolve
   */
  constructor(page, options, resolve) {
    this.page = page;
    this.options = options;
    this.resolve = resolve;
    /** @type {Body | undefined} */
    this.granted = undefined;
    /** @type {Conversation<Body>} */
    this.conversation = new Conversation(page);
    const isSteppedUp = options.stepUp !== undefined && page.isSteppedUp();
    const remembered = isSteppedUp && options.stepUp === 'remembered' ? page.password : undefined;
    this.name = options.name && nameField(options.name);
    this.password = new Field(say('signIn.password'), {
      name: 'password',
      type: 'password',
      autocomplete: 'current-password',
      value: remembered,
    });
    this.password.element.hidden = remembered !== undefined || (withoutPassword && !page.hasPassword);
    this.factor = page.state.enabled && !isSteppedUp ? this.#askFactor() : undefined;
    this.factorPlace = element('div', {}, this.factor?.element);
    this.confirm = element(
      'button',
      { class: `button ${options.danger ? 'danger' : ''}`, type: 'submit' },
      options.action ?? say('proof.submit'),
    );
    this.provider = this.#providerWay();
    this.closed = new AbortController();
    // What was sent is not taken back by closing the dialog: there may be new codes in the answer, which nothing else has.
    this.work = new Work(() => {
      if (this.closed.signal.aborted) this.resolve(this.granted);
    });
    this.sheet = this.#sheet();
    this.dialog = newDialog(options.title, this.sheet.element, () => {
      this.closed.abort();
      this.conversation.isOver = true;
      if (this.work.underWay === undefined) this.resolve(this.granted);
    });
  }

  open() {
    this.dialog.showModal();
    const first = this.options.choice?.querySelector('input:not([type="radio"], [type="checkbox"])');
    if (first instanceof HTMLInputElement) first.focus();
    else if (this.name !== undefined) this.name.input.focus();
    else if (this.factor !== undefined) this.factor.focus();
    else if (this.password.element.hidden) this.confirm.focus();
    else this.password.input.focus();
  }

  #providerWay() {
    const go = button(say('approve.providerGo'), () => this.#openProvider(), { look: 'full' });
    return element('div', { hidden: true }, element('p', {}, say('approve.provider')), go);
  }

  /** There is one thing to do next. @param {boolean} isAsked whether it is to go to the provider */
  #askProvider(isAsked) {
    this.provider.hidden = !isAsked;
    this.confirm.hidden = isAsked;
    if (isAsked) this.provider.querySelector('button')?.focus();
  }

  /** Its page says when it is done, where the provider lets it; else a look at this page again does. */
  #openProvider() {
    const opened = window.open(this.conversation.providerPage, '_blank');
    const { signal } = this.closed;
    const finish = () => void this.work.queue(() => this.#finish());
    window.addEventListener('focus', finish, { signal });
    window.addEventListener(
      'message',
      ({ source, data }) => {
        if (source === opened && data === 'authDone') finish();
      },
      { signal },
    );
  }

  async #finish() {
    const outcome = await this.conversation.finish(this.#request());
    if (outcome.kind !== 'provider_wanted') this.#follow(outcome);
  }

  #askFactor() {
    return new FactorField(this.page.state, () => this.work.begin(() => this.#usePasskey()));
  }

  #sheet() {
    return form(
      () => this.work.begin(() => this.#submit()),
      this.options.text !== undefined && element('p', {}, this.options.text),
      this.options.choice,
      this.name?.element,
      this.factorPlace,
      this.password.element,
      this.provider,
      element(
        'div',
        { class: 'actions' },
        this.confirm,
        button(say('shell.cancel'), () => this.dialog.close(), { look: 'second' }),
      ),
    );
  }

  #request() {
    return this.options.request(this.name?.value.trim() ?? '');
  }

  async #submit() {
    const { factor, password, conversation } = this;
    factor?.clear();
    password.clear();
    if (factor && conversation.accepted === undefined && factor.isMissing()) {
      if (!factor.isPasskeyFirst) return factor.failMissing();
      await this.#usePasskey();
      if (conversation.accepted === undefined || this.granted !== undefined) return;
    }
    // An account may have no password: the server says so.
    const begun = password.value === '' && withoutPassword && (await conversation.begin(this.#request()));
    if (begun) return this.#follow(begun);
    password.element.hidden ||= !conversation.wantsPassword;
    if (password.value === '' && conversation.wantsPassword) {
      password.element.hidden = false;
      return password.fail(say('signIn.missingPassword'));
    }
    this.#follow(await conversation.prove(this.#request(), factor?.code, password.value));
  }

  async #usePasskey() {
    this.factor?.clear();
    const outcome = await this.conversation.usePasskey(this.#request());
    if (outcome !== undefined) return this.#follow(outcome);
    this.factor?.accept(this.conversation.accepted === PASSKEY_STAGE);
    if (this.password.value === '') this.password.input.focus();
    else this.confirm.focus();
  }

  /** @param {import('./conversation.js').Outcome<Body>} outcome */
  #follow(outcome) {
    if (outcome.kind === 'granted') return this.#grant(outcome.body);
    this.#tell(outcome);
    const { accepted } = this.conversation;
    if (accepted !== undefined) this.factor?.accept(accepted === PASSKEY_STAGE);
  }

  /**
   * What is wrong, where it was given. A user who closed the browser's prompt knows.
   *
   * @param {Exclude<import('./conversation.js').Outcome<Body>, { kind: 'granted' }>} outcome
   */
  #tell(outcome) {
    switch (outcome.kind) {
      case 'wrong_code':
        return this.factor?.code.refuse();
      case 'wrong_passkey':
        // It may have been copied.
        void renewRemarks(this.page);
        return this.factor?.refusePasskey();
      case 'wrong_password':
        this.password.element.hidden = false;
        return this.password.fail(say('approve.wrongPassword'));
      case 'provider_wanted':
        return this.#askProvider(true);
      case 'factor_wanted':
        // The factor of the last minutes counts no more, or it was given for something else.
        this.factor = this.#askFactor();
        this.factorPlace.replaceChildren(this.factor.element);
        return this.factor.focus();
      case 'again':
        this.#askProvider(false);
        this.factor?.reopen();
        return this.sheet.refuse(say('proof.again'));
      case 'refused':
        this.#askProvider(false);
        if (outcome.isSpent) this.factor?.reopen();
        return this.sheet.refuse(problemText(outcome.answer));
      default:
        return undefined;
    }
  }

  /** @param {Body} body */
  #grant(body) {
    const { accepted } = this.conversation;
    this.granted = body;
    // A user who uses an authenticator has not lost it.
    if (accepted !== undefined && accepted !== RECOVERY_STAGE) this.page.recovered = false;
    if (this.options.stepUp === 'remembered' && this.conversation.wantsPassword)
      this.page.password = this.password.value;
    this.dialog.close();
  }
}
