import { stateIn } from './account_state.js';
import { Api, isTokenUnknown } from './api.js';
import { button, element, markTitle, notice } from './dom.js';
import { keyWithoutPassword, problemText, reasonText, say } from './texts.js';
import { CALLS } from './wire.js';

/** So often the page looks whether it is idle. */
const IDLE_CHECK_MS = 5000;
/** So often it lets its session live on, while there is activity. */
const CALL_MS = 60_000;

/**
 * @typedef {import('./account_state.js').State} State
 * @typedef {import('./account_state.js').Authenticator} Authenticator
 * @typedef {(page: AccountPage, flash?: HTMLElement) => void} Screen
 */

/** The page as a whole: who is signed in, what is shown, and when it ends. */
export class AccountPage {
  /** @param {Screen} showOverview */
  constructor(showOverview) {
    this.showOverview = showOverview;
    this.api = new Api(() => this.leave());
    /** @type {State} */
    this.state = { enabled: false, authenticators: [], codes: undefined };
    /**
     * Why the state is not known.
     *
     * @type {string | undefined}
     */
    this.problem = undefined;
    /** Whether there is a password to change; as long as that is not known there may be. */
    this.hasPassword = true;
    /** Whether the sign-in took a recovery code, so that the authenticator may be lost. */
    this.recovered = false;
    /**
     * The password, for the acts that take it from memory: until a reload, or the end of the step-up.
     *
     * @type {string | undefined}
     */
    this.password = undefined;
    this.stepUpUntil = 0;
    this.idleMs = Number.POSITIVE_INFINITY;
    /**
     * Why the page was left; codes that are not saved may keep it open all the same.
     *
     * @type {'idle' | ''}
     */
    this.why = '';
    this.root = required('account');
    this.announcer = required('announcer');
    this.lastActivity = Date.now();
    this.lastCall = Date.now();
    this.#watch();
  }

  /**
   * As `say`; where the account has no password, in words that speak of none.
   *
   * @type {import('../texts/keys.ts').SayText}
   */
  say = (key, ...values) => say(this.hasPassword ? key : keyWithoutPassword(key), ...values);

  /** Whether a second factor of the last minutes counts. */
  isSteppedUp() {
    const stands = this.stepUpUntil > Date.now();
    if (!stands) this.password = undefined;
    return stands;
  }

  /** Shows the page of the session that the browser has; without one the sign-in stays as it is in the document. */
  async open() {
    if (this.root.querySelector('form, h1') === null)
      this.root.replaceChildren(element('p', { class: 'muted', role: 'status' }, say('account.loading')));
    const answer = await this.#renew();
    if (answer.is === 'done') {
      this.recovered = answer.body.factor === 'recovery';
      await this.overview();
    } else if (isTokenUnknown(answer)) {
      // The cookie is removed by now: the document has the sign-in.
      if (!this.#asksForSignIn()) location.reload();
    } else if (!this.#asksForSignIn()) {
      this.#showNotLoaded(answer, () => this.open());
    }
  }

  /** @param {...Node} nodes */
  show(...nodes) {
    this.root.replaceChildren(...nodes);
    markTitle(false);
    window.scrollTo(0, 0);
    // What stands there at each visit is read in its turn: what has just been done is told first.
    const flash = this.root.querySelector('.notice:not([hidden], .recovered > *, .sections *)');
    const heading = this.root.querySelector('h1');
    heading?.setAttribute('tabindex', '-1');
    (flash instanceof HTMLElement ? flash : heading)?.focus();
  }

  /** Says `text` to people who do not see it. @param {string} text */
  announce(text) {
    this.announcer.textContent = text;
  }

  /**
   * Signs out: the form of the document ends the session, and the browser forgets the page.
   *
   * @param {'idle' | ''} [why]
   */
  leave(why = this.why) {
    this.why = why;
    this.api.signedIn = undefined;
    this.password = undefined;
    const form = required('sign-out');
    if (!(form instanceof HTMLFormElement)) return;
    const field = form.elements.namedItem('why');
    if (field instanceof HTMLInputElement) field.value = why;
    form.submit();
  }

  /** Lets the session live on. */
  async #renew() {
    this.lastCall = Date.now();
    const answer = await this.api.openSession();
    if (answer.is === 'done') {
      this.stepUpUntil = answer.body.step_up_until_ts ?? 0;
      this.idleMs = answer.body.idle_ms;
      this.hasPassword = answer.body.has_password !== false;
    }
    return answer;
  }

  #asksForSignIn() {
    return this.root.querySelector('form') !== null;
  }

  /**
   * @param {import('./texts.js').Problem} answer
   * @param {() => Promise<void>} again
   */
  #showNotLoaded(answer, again) {
    this.show(
      element(
        'section',
        { class: 'card' },
        element('h1', {}, say('account.title')),
        notice('bad', element('p', {}, say('account.notLoaded', { reason: problemText(answer) }))),
        button(say('shell.tryAgain'), again, { look: 'full' }),
      ),
    );
  }

  /**
   * Everything again, as the server has it.
   *
   * @param {string} [done] what has been done
   * @param {'good' | 'warning'} [kind]
   */
  async overview(done, kind = 'good') {
    // Who stayed to save codes has left all the same.
    if (this.api.signedIn === undefined) return this.leave();
    // A factor that was just accepted counts from now on.
    if (done !== undefined) await this.#renew();
    const answer = await this.api.call(CALLS.state);
    if (this.api.signedIn === undefined) return;
    const state = answer.is === 'done' ? stateIn(answer.body) : undefined;
    this.problem = state === undefined ? reasonText(answer) : undefined;
    if (state !== undefined) this.state = state;
    this.showOverview(this, done === undefined ? undefined : notice(kind, element('p', {}, done)));
  }

  /** The session ends after some time without a touch. */
  #watch() {
    const seen = () => {
      this.lastActivity = Date.now();
    };
    for (const sign of ['pointerdown', 'pointermove', 'keydown', 'scroll']) {
      addEventListener(sign, seen, { passive: true, capture: true });
    }
    setInterval(() => void this.#check(), IDLE_CHECK_MS);
    // Back from the browser's memory: what stood there may belong to a session that has ended.
    addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload();
    });
  }

  async #check() {
    if (this.api.signedIn === undefined) return;
    const now = Date.now();
    if (now - this.lastActivity >= this.idleMs) {
      this.leave('idle');
      return;
    }
    if (this.lastActivity <= this.lastCall || now - this.lastCall < CALL_MS) return;
    const answer = await this.#renew();
    if (isTokenUnknown(answer)) this.leave();
  }
}

/** @param {string} id */
function required(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
