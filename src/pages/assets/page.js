import { Api } from './api.js';
import { element, notice } from './dom.js';
import { problemText, texts } from './texts.js';
import { CALLS, RECOVERY_STAGE, TOTP_STAGE } from './wire.js';

/** The session ends after this time without a key or a pointer. */
const IDLE_MS = 10 * 60 * 1000;
const IDLE_CHECK_MS = 5000;

/**
 * What the server says of this account (`GET /account/two-factor`).
 *
 * @import { LoginAnswer, RecoveryState, TwoFactorState } from './answers.d.ts'
 *
 * @typedef {NonNullable<TwoFactorState['providers'][typeof TOTP_STAGE]>['authenticators'][number]} Authenticator
 * @typedef {{ enabled: boolean, authenticators: Authenticator[], codes: RecoveryState | undefined }} State
 *
 * @typedef {(page: AccountPage, flash?: HTMLElement) => void} Screen
 */

/** The page as a whole: who is signed in, what is shown, and when it ends. */
export class AccountPage {
  /** @param {{ signIn: Screen, overview: Screen }} screens */
  constructor(screens) {
    this.screens = screens;
    this.api = new Api(() => this.leave(texts.signIn.ended));
    /** @type {State} */
    this.state = { enabled: false, authenticators: [], codes: undefined };
    /** Whether the sign-in took a recovery code, so that the authenticator may be lost. */
    this.recovered = false;
    this.root = required('account');
    this.announcer = required('announcer');
    this.lastActivity = Date.now();
    this.#watch();
  }

  /** @param {...Node} nodes */
  show(...nodes) {
    this.root.replaceChildren(...nodes);
    window.scrollTo(0, 0);
    const flash = this.root.querySelector('.notice:not([hidden])');
    const heading = this.root.querySelector('h1');
    heading?.setAttribute('tabindex', '-1');
    (flash instanceof HTMLElement ? flash : heading)?.focus();
  }

  /** Says `text` to people who do not see it. @param {string} text */
  announce(text) {
    this.announcer.textContent = text;
  }

  /**
   * @param {LoginAnswer} login
   * @param {boolean} [recovered]
   */
  enter(login, recovered = false) {
    this.api.signedIn = { userId: login.user_id, deviceId: login.device_id, token: login.access_token };
    this.recovered = recovered;
    this.lastActivity = Date.now();
    void this.overview();
  }

  /**
   * Signs out and says why.
   *
   * @param {string} why
   */
  leave(why) {
    this.api.signOut();
    this.recovered = false;
    for (const dialog of document.querySelectorAll('dialog')) dialog.close();
    this.screens.signIn(this, notice('warning', element('p', {}, why)));
  }

  /**
   * Everything again, as the server has it.
   *
   * @param {string} [done] what has been done
   * @param {'good' | 'warning'} [kind]
   */
  async overview(done, kind = 'good') {
    const answer = await this.api.call(CALLS.state);
    if (this.api.signedIn === undefined) return;
    if (answer.is !== 'done') {
      this.leave(problemText(answer));
      return;
    }
    const { enabled, providers } = answer.body;
    const authenticators = providers[TOTP_STAGE]?.authenticators ?? [];
    this.state = { enabled, authenticators, codes: providers[RECOVERY_STAGE] };
    this.screens.overview(this, done === undefined ? undefined : notice(kind, element('p', {}, done)));
  }

  /** The session ends with the page, and after some time without a touch. */
  #watch() {
    const seen = () => {
      this.lastActivity = Date.now();
    };
    for (const sign of ['pointerdown', 'pointermove', 'keydown', 'scroll']) {
      addEventListener(sign, seen, { passive: true, capture: true });
    }
    setInterval(() => {
      if (this.api.signedIn && Date.now() - this.lastActivity >= IDLE_MS) this.leave(texts.signIn.idle);
    }, IDLE_CHECK_MS);
    addEventListener('pagehide', () => this.api.signOut());
    // Back from the browser's memory: what stood there belongs to a session that has ended.
    addEventListener('pageshow', (event) => {
      if (event.persisted) this.leave(texts.signIn.ended);
    });
  }
}

/** @param {string} id */
function required(id) {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}
