/*
 * Asks the browser for a passkey or security key, and sends its answer as the form would be sent. Where the browser cannot
 * be asked, as in the windows of some apps, the sentence that stands there without a script stays.
 */

for (const form of document.querySelectorAll('form[data-webauthn-options]')) {
  if (form instanceof HTMLFormElement && canAsk()) offer(form);
}

/** Browsers that read and write the options as JSON (Web Authentication, Level 3). */
function canAsk() {
  return (
    'PublicKeyCredential' in window &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function' &&
    typeof PublicKeyCredential.prototype.toJSON === 'function'
  );
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

/** A prompt that was cancelled leaves the page as it is. @param {HTMLFormElement} form */
async function ask(form) {
  if (form.dataset.asking !== undefined) return;
  form.dataset.asking = '';
  try {
    const options = JSON.parse(form.dataset.webauthnOptions ?? '{}');
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials.get({ publicKey });
    const field = form.elements.namedItem('credential');
    if (!(credential instanceof PublicKeyCredential) || !(field instanceof HTMLInputElement)) return;
    field.value = JSON.stringify(credential.toJSON());
    form.requestSubmit();
  } catch {
    // Cancelled, or no key of the account was there: the code field is still below.
  } finally {
    delete form.dataset.asking;
  }
}
