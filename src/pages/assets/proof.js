import { CodeField } from './code_field.js';
import { button, element, Field, form, markTitle } from './dom.js';
import { problems, problemText, say, texts } from './texts.js';
import { PASSWORD_STAGE, RECOVERY_STAGE, TOTP_STAGE } from './wire.js';

/**
 * A request that the server answers only to the owner of the account (User-Interactive Authentication).
 *
 * @template Body
 * @typedef {{ call: import('./wire.js').Call<Body>, body: object }} GuardedRequest
 */

/**
 * @template Body
 * @typedef {object} ProofOptions
 * @property {string} title
 * @property {string} text what is about to happen
 * @property {string} [action] what stands on the button
 * @property {boolean} [danger]
 * @property {'remembered' | 'typed'} [stepUp] a factor of the last minutes counts for it; the password is asked for at the
 *   first such act of a load only, or each time. Without it password and a fresh factor are asked for, always
 * @property {{ label: string, value: string, hint: string }} [name] something to be named beside
 * @property {(name: string) => GuardedRequest<Body>} request
 */

/**
 * Asks for what the act needs, and makes the request with it: the password, and where 2FA is on a code, unless a factor
 * of the last minutes counts.
 *
 * @template Body
 * @param {import('./page.js').AccountPage} page
 * @param {ProofOptions<Body>} options
 * @returns {Promise<Body | undefined>} the answer's body; undefined if the user gave up
 */
export function askProof(page, options) {
  return new Promise((resolve) => openDialog(page, options, resolve));
}

/**
 * @template Body
 * @param {import('./page.js').AccountPage} page
 * @param {ProofOptions<Body>} options
 * @param {(granted: Body | undefined) => void} resolve
 */
function openDialog(page, options, resolve) {
  const isSteppedUp = options.stepUp !== undefined && page.isSteppedUp();
  const remembered = isSteppedUp && options.stepUp === 'remembered' ? page.password : undefined;
  const name = options.name && nameField(options.name);
  let code = page.state.enabled && !isSteppedUp ? new CodeField() : undefined;
  const password = new Field(say('signIn.password'), {
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    value: remembered,
  });
  password.element.hidden = remembered !== undefined;
  const codePlace = element('div', {}, code?.element);
  /** @type {Conversation<Body>} */
  const conversation = new Conversation(page);
  const confirm = element(
    'button',
    { class: `button ${options.danger ? 'danger' : ''}`, type: 'submit' },
    options.action ?? say('proof.submit'),
  );
  const { element: sheet, refuse } = form(
    submit,
    element('p', {}, options.text),
    name?.element,
    codePlace,
    password.element,
    element(
      'div',
      { class: 'actions' },
      confirm,
      button(say('shell.cancel'), () => dialog.close(), { look: 'second' }),
    ),
  );
  const dialog = element(
    'dialog',
    { 'aria-labelledby': 'proof-title', onclose: finish },
    element('h2', { id: 'proof-title' }, options.title),
    sheet,
  );
  /** @type {Body | undefined} */
  let granted;

  document.body.append(dialog);
  dialog.showModal();
  const first = name ?? code?.field ?? (password.element.hidden ? undefined : password);
  if (first === undefined) confirm.focus();
  else first.input.focus();

  function finish() {
    dialog.remove();
    markTitle(false);
    resolve(granted);
  }

  async function submit() {
    code?.clear();
    password.clear();
    if (code && !conversation.codeAccepted && code.isMissing()) return code.field.fail(problems.missingCode);
    if (password.value === '') return password.fail(say('signIn.missingPassword'));
    const outcome = await conversation.prove(options.request(name?.value.trim() ?? ''), code, password.value);
    if (outcome.kind === 'granted') {
      granted = outcome.body;
      // A user who types a code of the app has not lost it.
      if (code?.stage === TOTP_STAGE) page.recovered = false;
      if (options.stepUp === 'remembered') page.password = password.value;
      dialog.close();
    } else if (outcome.kind === 'wrong_code') {
      code?.refuse();
    } else if (outcome.kind === 'wrong_password') {
      password.element.hidden = false;
      password.fail(problems.wrongOwnPassword);
    } else if (outcome.kind === 'code_wanted') {
      // The factor of the last minutes counts no more.
      code = new CodeField();
      codePlace.replaceChildren(code.element);
      code.field.input.focus();
    } else if (outcome.kind === 'again') {
      code?.reopen();
      refuse(texts.proof.again);
    } else {
      refuse(problemText(outcome.answer));
    }
    if (conversation.codeAccepted && dialog.open) code?.accept();
  }
}

/** @param {{ label: string, value: string, hint: string }} name */
function nameField({ label, value, hint }) {
  return new Field(label, { name: 'name', value, maxlength: 100, autocomplete: 'off' }, hint);
}

/**
 * @template Body
 * @typedef {{ kind: 'granted', body: Body } | { kind: 'wrong_code' } | { kind: 'wrong_password' }
 *   | { kind: 'code_wanted' } | { kind: 'again' } | { kind: 'refused', answer: import('./texts.js').Problem }} Outcome
 */

/**
 * One session of User-Interactive Authentication: the code first, then the password, as the flows say.
 *
 * @template Body
 */
class Conversation {
  /** @param {import('./page.js').AccountPage} page */
  constructor(page) {
    this.page = page;
    this.codeAccepted = false;
    this.wantsCode = false;
    /** @type {string | undefined} */
    this.session = undefined;
    this.about = '';
  }

  /**
   * @param {GuardedRequest<Body>} request
   * @param {CodeField | undefined} code
   * @param {string} password
   * @returns {Promise<Outcome<Body>>}
   */
  async prove(request, code, password) {
    const begun = await this.#begin(request);
    if (begun !== undefined) return begun;
    if (this.wantsCode && !code) return { kind: 'code_wanted' };
    if (code && this.wantsCode && !this.codeAccepted) {
      const refused = await this.#giveCode(request, code);
      if (refused !== undefined) return refused;
    }
    return this.#givePassword(request, password);
  }

  /**
   * A session is for one body: another name begins another session.
   *
   * @param {GuardedRequest<Body>} request
   * @returns {Promise<Outcome<Body> | undefined>}
   */
  async #begin(request) {
    const about = JSON.stringify(request.body);
    if (this.session !== undefined && this.about === about) return undefined;
    this.about = about;
    this.codeAccepted = false;
    const answer = await this.#ask(request);
    if (answer.is === 'done') return { kind: 'granted', body: answer.body };
    if (answer.is === 'refused') return { kind: 'refused', answer };
    this.#take(answer.body);
    return undefined;
  }

  /** @param {import('./answers.d.ts').Challenge} challenge */
  #take({ session, flows }) {
    this.session = session;
    this.wantsCode = flows.some(
      ({ stages }) => stages.includes(TOTP_STAGE) || stages.includes(RECOVERY_STAGE),
    );
  }

  /**
   * @param {GuardedRequest<Body>} request
   * @param {CodeField} code
   * @returns {Promise<Outcome<Body> | undefined>}
   */
  async #giveCode(request, code) {
    const { stage, token } = code;
    const answer = await this.#ask(request, { type: stage, token });
    // Where no codes are left the stage is not offered.
    if (answer.status === 400) return { kind: 'wrong_code' };
    if (answer.is === 'done') return { kind: 'granted', body: answer.body };
    if (answer.is === 'refused') return { kind: 'refused', answer };
    this.codeAccepted = answer.body.completed.includes(stage);
    if (this.codeAccepted) return undefined;
    return this.#isAnother(answer.body) ? { kind: 'again' } : { kind: 'wrong_code' };
  }

  /**
   * @param {GuardedRequest<Body>} request
   * @param {string} password
   * @returns {Promise<Outcome<Body>>}
   */
  async #givePassword(request, password) {
    const answer = await this.#ask(request, {
      type: PASSWORD_STAGE,
      identifier: { type: 'm.id.user', user: this.page.api.signedIn?.userId },
      password,
    });
    if (answer.is === 'done') return { kind: 'granted', body: answer.body };
    if (answer.is === 'refused') return { kind: 'refused', answer };
    const hadCode = this.wantsCode;
    if (!this.#isAnother(answer.body)) return { kind: 'wrong_password' };
    return this.wantsCode && !hadCode ? { kind: 'code_wanted' } : { kind: 'again' };
  }

  /**
   * Whether the session died of too many failures and another one stands in its place.
   *
   * @param {import('./answers.d.ts').Challenge} challenge
   */
  #isAnother(challenge) {
    if (challenge.session === this.session) return false;
    this.#take(challenge);
    this.codeAccepted = false;
    return true;
  }

  /**
   * @param {GuardedRequest<Body>} request
   * @param {object} [auth]
   */
  #ask({ call, body }, auth) {
    const whole = auth === undefined ? body : { ...body, auth: { ...auth, session: this.session } };
    return this.page.api.call(call, whole);
  }
}
