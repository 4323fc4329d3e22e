/*
 * Asks the browser for a passkey or security key, for scripts and for forms: there its answer is sent as the form would be.
 * Where the browser cannot be asked, as in the windows of some apps, the sentence that stands there without a script stays.
 */

for (const form of document.querySelectorAll('form[data-webauthn-options]')) {
  if (form instanceof HTMLFormElement && canAsk()) offer(form);
}

/** Browsers that read and write the options as JSON (Web Authentication, Level 3). */
export function canAsk() {
  return (
    'PublicKeyCredential' in window &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function' &&
    typeof PublicKeyCredential.prototype.toJSON === 'function'
  );
}

/**
 * The browser's answer to a question of the server.
 *
 * @param {unknown} options `public_key` of the stage
 * @returns {Promise<object | undefined>} undefined if the user gave up, or no key of the account was there
 */
export async function askForPasskey(options) {
  try {
    const json = /** @type {PublicKeyCredentialRequestOptionsJSON} */ (options);
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
    const credential = await navigator.credentials.get({ publicKey });
    return credential instanceof PublicKeyCredential ? credential.toJSON() : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it makes new ones, as JSON too. */
export function canMake() {
  return canAsk() && typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function';
}

/**
 * What becomes of a question for a new one. `known`: the account has it already.
 *
 * @typedef {{ is: 'made', credential: object } | { is: 'given_up' } | { is: 'known' } | { is: 'failed' }} NewPasskey
 *
 * @param {unknown} options `public_key` of the set-up
 * @returns {Promise<NewPasskey>}
 */
export async function makePasskey(options) {
  try {
    const json = /** @type {PublicKeyCredentialCreationOptionsJSON} */ (options);
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(json);
    const credential = await navigator.credentials.create({ publicKey });
    if (credential instanceof PublicKeyCredential) return { is: 'made', credential: credential.toJSON() };
    return { is: 'failed' };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'InvalidStateError') return { is: 'known' };
    return name === 'NotAllowedError' || name === 'AbortError' ? { is: 'given_up' } : { is: 'failed' };
  }
}

/** @param {HTMLFormElement} form */
function offer(form) {
  const button = form.querySelector('button');
  const sentence = form.querySelector('[data-unsupported]');
  if (button === null || !(sentence instanceof HTMLElement)) return;
  sentence.hidden = true;
  button.hidden = false;
  button.addEventListener('click', () => void ask(form));
}

/**
 * A prompt that was cancelled leaves the page as it is. Where its question is not good any more, the page is loaded again: pages
 * of forms are shown by a GET, which changes nothing.
 *
 * @param {HTMLFormElement} form
 */
async function ask(form) {
  if (form.dataset.asking !== undefined) return;
  const options = JSON.parse(form.dataset.webauthnOptions ?? '{}');
  if (performance.now() > options.timeout) {
    location.reload();
    return;
  }
  form.dataset.asking = '';
  const credential = await askForPasskey(options);
  delete form.dataset.asking;
  const field = form.elements.namedItem('credential');
  if (credential === undefined || !(field instanceof HTMLInputElement)) return;
  field.value = JSON.stringify(credential);
  form.requestSubmit();
}
