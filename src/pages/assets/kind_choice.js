import { element } from './dom.js';
import { canMake } from './passkey.js';
import { say } from './texts.js';
import { PASSKEY } from './wire.js';

/** Which kind of authenticator is set up. Where the browser makes no passkeys a sentence says how to get one. */
export class KindChoice {
  /**
   * @param {readonly import('./page.js').Authenticator[]} authenticators
   * @param {boolean} isPasskey what is chosen at first
   */
  constructor(authenticators, isPasskey) {
    this.passkey = radio(isPasskey);
    const hasPasskey = authenticators.some(({ kind }) => kind === PASSKEY);
    this.element = canMake()
      ? element(
          'fieldset',
          { class: 'choice' },
          element('legend', {}, say('setup.what')),
          element('label', { class: 'check' }, radio(!isPasskey), say('setup.defaultName')),
          element('label', { class: 'check' }, this.passkey, say('auth.passkey')),
          // Before the first one: where it will not do.
          !hasPasskey && element('p', { class: 'hint' }, say('help.passkey.text')),
        )
      : element('p', { class: 'hint' }, say('setup.passkeyUnsupported'));
  }

  get isPasskey() {
    return canMake() && this.passkey.checked;
  }
}

/** @param {boolean} checked */
function radio(checked) {
  return element('input', { type: 'radio', name: 'kind', checked });
}
