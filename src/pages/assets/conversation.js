import { NO_ANSWER } from './api.js';
import { askForPasskey } from './passkey.js';
import { APP_STAGE, approvalPage, PASSKEY_STAGE, PASSWORD_STAGE, RECOVERY_STAGE } from './wire.js';

const FACTORS = [APP_STAGE, PASSKEY_STAGE, RECOVERY_STAGE];

/**
 * A request that the server answers only to the owner of the account (User-Interactive Authentication).
 *
 * @template Body
 * @typedef {{ call: import('./wire.js').Call<Body>, body: object }} GuardedRequest
 */

/**
 * `given_up`: the user closed the browser's prompt. `isSpent`: what was proven does not count for another try.
 *
 * @template Body
 * @typedef {{ kind: 'granted', body: Body } | { kind: 'wrong_code' } | { kind: 'wrong_passkey' } | { kind: 'given_up' }
 *   | { kind: 'wrong_password' } | { kind: 'provider_wanted' } | { kind: 'factor_wanted' } | { kind: 'again' }
 *   | { kind: 'refused', answer: import('./texts.js').Problem, isSpent?: boolean }} Outcome
 */

/**
 * One session of User-Interactive Authentication: the factor first, then the password, as the flows say.
 *
 * @template Body
 */
export class Conversation {
  /** @param {import('./page.js').AccountPage} page */
  constructor(page) {
    this.page = page;
    /**
     * The stage of the factor that was accepted.
     *
     * @type {string | undefined}
     */
    this.accepted = undefined;
    this.wantsFactor = false;
    /** Else the homeserver's own single sign-on says on a page of its own who it is. */
    this.wantsPassword = true;
    /** @type {string | undefined} */
    this.session = undefined;
    /** @type {Record<string, unknown>} */
    this.params = {};
    this.about = '';
    /** Its dialog was closed: what was not sent by then is not sent any more. */
    this.isOver = false;
  }

  /**
   * Gives the code, unless a factor was accepted, and the password.
   *
   * @param {GuardedRequest<Body>} request
   * @param {import('./code_field.js').CodeField | undefined} code
   * @param {string} password
   * @returns {Promise<Outcome<Body>>}
   */
  async prove(request, code, password) {
    const begun = await this.begin(request);
    if (begun !== undefined) return begun;
    if (this.wantsFactor && this.accepted === undefined) {
      if (code === undefined || code.isMissing()) return { kind: 'factor_wanted' };
      const { stage, token } = code;
      const refused = await this.#giveFactor(request, { type: stage, token });
      if (refused !== undefined) return refused;
    }
    return this.wantsPassword ? this.#givePassword(request, password) : this.finish(request);
  }

  /**
   * Asks whether the page of single sign-on is done.
   *
   * @param {GuardedRequest<Body>} request
   * @returns {Promise<Outcome<Body>>}
   */
  async finish(request) {
    const answer = await this.#ask(request, {});
    if (answer.is === 'done') return { kind: 'granted', body: answer.body };
    if (answer.is === 'refused') return { kind: 'refused', answer };
    return { kind: this.#isAnother(answer.body) ? 'again' : 'provider_wanted' };
  }

  /** Where single sign-on says who it is. */
  get providerPage() {
    return approvalPage(this.session ?? '');
  }

  /**
   * Asks the browser for a passkey, and gives it.
   *
   * @param {GuardedRequest<Body>} request
   * @returns {Promise<Outcome<Body> | undefined>} undefined: it was accepted
   */
  async usePasskey(request) {
    const begun = await this.begin(request);
    if (begun !== undefined || this.accepted !== undefined) return begun;
    const asked = /** @type {{ public_key?: unknown } | undefined} */ (this.params[PASSKEY_STAGE]);
    const credential = await askForPasskey(asked?.public_key);
    if (credential === undefined) return { kind: 'given_up' };
    return this.#giveFactor(request, { type: PASSKEY_STAGE, credential });
  }

  /**
   * A session is for one request: another one, or another name in it, begins another session. The same one may have begun
   * before, with a factor that was accepted then.
   *
   * @param {GuardedRequest<Body>} request
   * @returns {Promise<Outcome<Body> | undefined>}
   */
  async begin(request) {
    const about = JSON.stringify([request.call, request.body]);
    if (this.session !== undefined && this.about === about) return undefined;
    this.about = about;
    this.accepted = undefined;
    const answer = await this.#ask(request);
    if (answer.is === 'done') return { kind: 'granted', body: answer.body };
    if (answer.is === 'refused') return { kind: 'refused', answer };
    this.#take(answer.body);
    return undefined;
  }

  /** @param {import('./answers.d.ts').Challenge} challenge */
  #take({ session, flows, params, completed }) {
    this.session = session;
    this.accepted = completed.find((stage) => FACTORS.includes(stage));
    this.params = params;
    this.wantsPassword = flows.some(({ stages }) => stages.includes(PASSWORD_STAGE));
    this.wantsFactor = flows.some(({ stages }) => stages.some((stage) => FACTORS.includes(stage)));
  }

  /**
   * @param {GuardedRequest<Body>} request
   * @param {{ type: string, token?: string, credential?: object }} auth
   * @returns {Promise<Outcome<Body> | undefined>}
   */
  async #giveFactor(request, auth) {
    const isPasskey = auth.type === PASSKEY_STAGE;
    const answer = await this.#ask(request, auth);
    // Where no codes are left the stage is not offered.
    if (answer.status === 400) return { kind: isPasskey ? 'wrong_passkey' : 'wrong_code' };
    if (answer.is === 'done') {
      this.accepted = auth.type;
      return { kind: 'granted', body: answer.body };
    }
    if (answer.is === 'refused') return { kind: 'refused', answer };
    // Each question of a passkey is good for one answer.
    this.params = answer.body.params;
    if (answer.body.completed.includes(auth.type)) {
      this.accepted = auth.type;
      return undefined;
    }
    if (this.#isAnother(answer.body)) return { kind: 'again' };
    return { kind: isPasskey ? 'wrong_passkey' : 'wrong_code' };
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
    if (answer.is === 'refused') return { kind: 'refused', answer, isSpent: this.#forgetSpent(answer) };
    const wantedFactor = this.wantsFactor;
    if (!this.#isAnother(answer.body)) return { kind: 'wrong_password' };
    return this.wantsFactor && !wantedFactor ? { kind: 'factor_wanted' } : { kind: 'again' };
  }

  /**
   * What cannot be done was refused behind the proof, which is spent by then: another try begins again.
   *
   * @param {import('./api.js').Refused} answer
   */
  #forgetSpent({ status }) {
    const isSpent = status === 400 || status === 409;
    if (isSpent) this.session = this.accepted = undefined;
    return isSpent;
  }

  /**
   * Whether the session died of too many failures and another one stands in its place.
   *
   * @param {import('./answers.d.ts').Challenge} challenge
   */
  #isAnother(challenge) {
    if (challenge.session === this.session) return false;
    this.#take(challenge);
    return true;
  }

  /**
   * @param {GuardedRequest<Body>} request
   * @param {object} [auth]
   */
  #ask({ call, body }, auth) {
    if (this.isOver) return NO_ANSWER;
    const whole = auth === undefined ? body : { ...body, auth: { ...auth, session: this.session } };
    return this.page.api.call(call, whole);
  }
}
