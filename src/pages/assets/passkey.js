/*
 * Asks the browser for a passkey or security key, for scripts and for forms: there its answer is sent as the form would be.
 * Where the browser cannot be asked, as in the windows of some apps, the sentence that stands there without a script stays.
 */

/** Ends the question that stands in the field for the name. */
let stopOffering = () => {};

for (const form of document.querySelectorAll('form[data-webauthn-options]')) {
  if (form instanceof HTMLFormElement && canAsk()) offer(form);
}

for (const form of document.querySelectorAll('form[data-new-passkey]')) {
  if (form instanceof HTMLFormElement && canMake()) offerNew(form);
}
for (const button of document.querySelectorAll('button[data-makes-passkeys]')) {
  if (button instanceof HTMLElement) button.hidden = !canMake();
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
 * @param {Omit<CredentialRequestOptions, 'publicKey'>} [way] how the browser asks
 * @returns {Promise<object | undefined>} undefined if the user gave up, or no key of the account was there
 */
export async function askForPasskey(options, way) {
  try {
    const json = /** @type {PublicKeyCredentialRequestOptionsJSON} */ (options);
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(json);
    const credential = await navigator.credentials.get({ ...way, publicKey });
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
  const options = JSON.parse(form.dataset.webauthnOptions ?? '{}');
  const isInField = form.dataset.offeredInField !== undefined;
  showButton(form, options, async () => {
    // The browser answers one question at a time.
    stopOffering();
    const credential = await askForPasskey(options);
    if (credential === undefined && isInField) void offerInField(form, options);
    return credential;
  });
  if (isInField) void offerInField(form, options);
}

/**
 * Has the browser offer passkeys with the names that it knows (Web Authentication, Level 3, "conditional mediation"), as long
 * as its question is good.
 *
 * @param {HTMLFormElement} form
 * @param {{ timeout?: number }} options of the browser
 */
async function offerInField(form, options) {
  const isAble = await PublicKeyCredential.isConditionalMediationAvailable?.();
  const leftMs = (options.timeout ?? 0) - performance.now();
  if (isAble !== true || leftMs <= 0) return;
  const asking = new AbortController();
  stopOffering = () => asking.abort();
  setTimeout(stopOffering, leftMs);
  const credential = await askForPasskey(options, { mediation: 'conditional', signal: asking.signal });
  if (credential !== undefined) submitWith(form, credential);
}

/** The same for a new one. @param {HTMLFormElement} form */
function offerNew(form) {
  const problem = form.querySelector('[data-problem]');
  const options = JSON.parse(form.dataset.newPasskey ?? '{}');
  showButton(form, options, async () => {
    if (problem instanceof HTMLElement) problem.hidden = true;
    const made = await makePasskey(options);
    if (made.is === 'made') return made.credential;
    // A user who closed the browser's prompt knows.
    if (made.is === 'given_up' || !(problem instanceof HTMLElement)) return undefined;
    problem.textContent = (made.is === 'known' ? form.dataset.known : form.dataset.failed) ?? '';
    problem.hidden = false;
    return undefined;
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {{ timeout?: number }} options of the browser
 * @param {() => Promise<object | undefined>} ask
 */
function showButton(form, options, ask) {
  const button = form.querySelector('button');
  const sentence = form.querySelector('[data-unsupported]');
  if (button === null || !(sentence instanceof HTMLElement)) return;
  sentence.hidden = true;
  button.hidden = false;
  button.addEventListener('click', () => void send(form, options, ask));
  // Enter in another field of the form presses the button, too: without an answer there is nothing to send.
  form.addEventListener('submit', (event) => {
    if (answerField(form)?.value !== '') return;
    event.preventDefault();
    event.stopImmediatePropagation();
    void send(form, options, ask);
  });
}

/**
 * A prompt that was cancelled leaves the page as it is. Where its question is not good any more, the page is loaded again: pages
 * of forms are shown by a GET, which changes nothing.
 *
 * @param {HTMLFormElement} form
 * @param {{ timeout?: number }} options of the browser
 * @param {() => Promise<object | undefined>} ask
 */
async function send(form, { timeout = Number.POSITIVE_INFINITY }, ask) {
  if (form.dataset.asking !== undefined) return;
  if (performance.now() > timeout) {
    location.reload();
    return;
  }
  form.dataset.asking = '';
  const credential = await ask();
  delete form.dataset.asking;
  if (credential !== undefined) submitWith(form, credential);
}

/**
 * @param {HTMLFormElement} form
 * @param {object} credential
 */
function submitWith(form, credential) {
  const field = answerField(form);
  if (field === undefined) return;
  field.value = JSON.stringify(credential);
  form.requestSubmit();
}

/** @param {HTMLFormElement} form */
function answerField(form) {
  const field = form.elements.namedItem('credential');
  return field instanceof HTMLInputElement ? field : undefined;
}
