/*
 * Makes forms pleasant; they work without it. No field sends itself, and nothing is sent twice.
 */

import './passkey.js';
import { region } from './region.js';
import { saveFile } from './save_file.js';
import { takeAway } from './take_away.js';

/** How long a person needs to notice that the page has changed, in ms. */
const UNSEEN_MS = 500;
/** What is shown once: going back does not show it again. */
const SECRETS = '.codes, .secret';
/** For a person who stopped the browser while it waited for the server: then a form can be sent again. */
const STOPPED_MS = 15_000;

/** Says what was done to people who do not see it. */
const announcer = document.createElement('div');
announcer.className = 'visually-hidden';
announcer.setAttribute('role', 'status');

// Before anything else hears of it: a page that the browser kept begins as a new one.
window.addEventListener('pageshow', ({ persisted }) => {
  if (persisted && document.querySelector(SECRETS) !== null) location.reload();
  for (const form of document.forms) rest(form);
});

for (const form of document.forms) {
  form.addEventListener('submit', (event) => sendOnce(form, event));
  if (form.dataset.unhurried !== undefined) holdBack(form);
}
for (const input of document.querySelectorAll('input[data-show]')) {
  if (input instanceof HTMLInputElement) addReveal(input);
}

for (const line of document.querySelectorAll('[data-dated]')) {
  if (line instanceof HTMLElement) addDate(line);
}
for (const button of document.querySelectorAll(
  'button[data-copy], button[data-download], button[data-print]',
)) {
  if (button instanceof HTMLButtonElement) addUse(button);
  document.querySelector('main')?.append(announcer);
}

/**
 * The date of the reader, in what stands above codes on paper.
 * @param {HTMLElement} line
 */
function addDate(line) {
  const date = new Intl.DateTimeFormat(region, { dateStyle: 'medium' }).format();
  line.textContent = (line.dataset.dated ?? '').replace('{date}', date);
}

/**
 * Copies codes that are shown, saves them in a file, or prints the page.
 * @param {HTMLButtonElement} button
 */
function addUse(button) {
  const { copy, download, file = '', done = '' } = button.dataset;
  // Browsers have no clipboard for pages that came without TLS.
  button.hidden = copy !== undefined && navigator.clipboard === undefined;
  const told = () => {
    button.textContent = done;
    announcer.textContent = done;
  };
  button.addEventListener('click', () => {
    if (copy !== undefined)
      return void navigator.clipboard.writeText(copy).then(told, () => takeAway(button));
    if (download === undefined) return print();
    const sheet = document.querySelector('[data-dated]')?.textContent ?? '';
    saveFile(file, `${sheet}\n\n${download}\n`.trimStart());
    return told();
  });
}

/**
 * Shows what is typed as a password, and hides it again; what is sent is a password field in any case.
 * @param {HTMLInputElement} input
 */
function addReveal(input) {
  const { show = '', hide = '' } = input.dataset;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'reveal';
  button.textContent = show;
  const toggle = (/** @type {boolean} */ isShown) => {
    input.type = isShown ? 'text' : 'password';
    button.textContent = isShown ? hide : show;
  };
  button.addEventListener('click', () => {
    toggle(input.type === 'password');
    input.focus();
  });
  input.form?.addEventListener('submit', () => toggle(false));
  input.after(button);
}

/**
 * Keeps the buttons of a form off until the page has been in sight for a moment: what was typed for the page
 * before it must not press them. Clicks are held back by page.css, from the first moment on.
 * @param {HTMLFormElement} form
 */
function holdBack(form) {
  let timer = 0;
  const begin = (holdMs = UNSEEN_MS) => {
    clearTimeout(timer);
    switchButtons(form, false);
    if (document.visibilityState === 'visible' && form.dataset.sent === undefined) {
      timer = window.setTimeout(() => switchButtons(form, true), holdMs);
    }
  };
  // A script that comes late leaves the buttons on: a press at that moment would be lost.
  const leftMs = UNSEEN_MS - inSightMs();
  if (leftMs > 0) begin(leftMs);
  window.addEventListener('pageshow', ({ persisted }) => persisted && begin());
  document.addEventListener('visibilitychange', () => begin());
}

/** How long the page has been drawn, in ms. */
function inSightMs() {
  const drawn = performance.getEntriesByType('paint').at(0);
  return drawn === undefined ? 0 : performance.now() - drawn.startTime;
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
  if (form.dataset.sent !== undefined) return event.preventDefault();
  form.dataset.sent = '';
  const { submitter } = event;
  // After this event: what is off when the browser reads the form is not sent (HTML, "constructing the entry list").
  setTimeout(() => {
    switchButtons(form, false);
    submitter?.setAttribute('data-works', '');
    setTimeout(() => rest(form), STOPPED_MS);
  });
}

/** @param {HTMLFormElement} form */
function rest(form) {
  if (form.dataset.sent === undefined) return;
  delete form.dataset.sent;
  switchButtons(form, true);
  for (const button of form.querySelectorAll('[data-works]')) button.removeAttribute('data-works');
}
