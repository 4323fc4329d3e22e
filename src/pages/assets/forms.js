/*
 * Makes forms pleasant; they work without it. No field sends itself, and nothing is sent twice.
 */

import './passkey.js';

/** How long a person needs to notice that the page has changed, in ms. */
const UNSEEN_MS = 500;

for (const form of document.forms) {
  form.addEventListener('submit', (event) => sendOnce(form, event));
  if (form.dataset.unhurried !== undefined) holdBack(form);
}

/** A page that the browser kept begins as a new one. */
window.addEventListener('pageshow', () => {
  for (const form of document.forms) delete form.dataset.sent;
});

/**
 * Keeps the buttons of a form off until the page has been in sight for a moment: what was typed for the page
 * before it must not press them.
 * @param {HTMLFormElement} form
 */
function holdBack(form) {
  let timer = 0;
  const begin = () => {
    clearTimeout(timer);
    switchButtons(form, false);
    if (document.visibilityState === 'visible') {
      timer = window.setTimeout(() => switchButtons(form, true), UNSEEN_MS);
    }
  };
  begin();
  window.addEventListener('pageshow', begin);
  document.addEventListener('visibilitychange', begin);
}

/**
 * @param {HTMLFormElement} form
 * @param {boolean} on
 */
function switchButtons(form, on) {
  for (const button of form.querySelectorAll('button')) button.disabled = !on;
}

/**
 * @param {HTMLFormElement} form
 * @param {SubmitEvent} event
 */
function sendOnce(form, event) {
  if (form.dataset.sent !== undefined) event.preventDefault();
  form.dataset.sent = '';
}
