import { element, Field } from './dom.js';
import { showNewCodes } from './save_codes.js';
import { say } from './texts.js';
import { renameAuthenticator } from './wire.js';

/**
 * @typedef {import('./answers.d.ts').TotpConfirmAnswer} Confirmed
 * @typedef {object} WayOptions
 * @property {string} title
 * @property {string} done what has been done in the end
 * @property {string} usualName what the authenticator is called unless its user says otherwise
 * @property {import('./wire.js').Call<Confirmed>} call what confirms it
 * @property {{ setup_id: string, recovery_codes: string }} setup
 */

/** A set-up that has begun: what is asked for beside the first proof, and what comes after it. */
export class SetUpWay {
  /**
   * @param {import('./page.js').AccountPage} page
   * @param {WayOptions} options
   */
  constructor(page, options) {
    this.page = page;
    this.options = options;
    this.title = options.title;
    this.keepsCodes = options.setup.recovery_codes === 'kept';
    this.name = new Field(
      say('setup.name'),
      { name: 'name', maxlength: 100, autocomplete: 'off', placeholder: options.usualName },
      say('setup.nameHint'),
    );
    this.newCodes = element('input', { type: 'checkbox', name: 'new_codes' });
    this.fields = [
      this.name.element,
      this.keepsCodes && [
        element('p', {}, say('setup.codesKept')),
        element('label', { class: 'check' }, this.newCodes, say('setup.newCodes')),
      ],
    ];
  }

  /** @param {{ token: string } | { credential: object }} proof */
  confirm(proof) {
    const { call, setup } = this.options;
    const wanted = this.keepsCodes && { recovery_codes: this.newCodes.checked };
    return this.page.api.call(call, { setup_id: setup.setup_id, ...proof, ...wanted });
  }

  cancel() {
    void this.page.overview();
  }

  expired() {
    void this.page.overview(say('setup.expired'), 'warning');
  }

  /**
   * Names the authenticator, and shows the new codes if there are any.
   *
   * @param {Confirmed} answer
   * @param {HTMLElement} [steps] with the last one marked
   */
  async confirmed({ authenticator_id: id, recovery_codes: codes }, steps) {
    const { page, options } = this;
    const { done, usualName } = options;
    // A name that cannot be given now can be given later. Codes do not wait for it: nothing else has them.
    const named = page.api.call(renameAuthenticator(id), { name: this.name.value.trim() || usualName });
    const next = async () => {
      await named;
      page.recovered = false;
      await page.overview(done);
    };
    // The saved ones stay good, or the operator wants none.
    if (codes.length === 0) return next();
    return showNewCodes(page, codes, { steps, done, user: page.api.signedIn?.userId ?? '', next });
  }
}
