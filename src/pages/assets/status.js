import { standingOf } from './account_state.js';
import { button, element } from './dom.js';
import { icon } from './icons.js';
import { renewCodes } from './recovery.js';
import { setUp } from './setup.js';
import { clockText, say, timed } from './texts.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./account_state.js').Standing} Standing
 */

/**
 * How the account is protected, one sentence about it, and at most one thing to do.
 *
 * @param {AccountPage} page
 */
export function statusHeader(page) {
  const standing = page.problem === undefined ? standingOf(page.state) : 'unknown';
  const look = { on: '', weak: 'off', off: 'off', unknown: 'unknown' }[standing];
  const text = element('p', {}, sentence(page, standing));
  if (standing === 'unknown') text.setAttribute('role', 'alert');
  return element(
    'div',
    { class: `status ${look}`.trim() },
    icon(standing === 'on' ? 'good' : standing === 'unknown' ? 'unknown' : 'warning', 'big'),
    element('div', {}, element('h1', {}, say(`status.${standing}`)), text, action(page, standing)),
    verified(page),
  );
}

/**
 * @param {AccountPage} page
 * @param {Standing} standing
 */
function sentence(page, standing) {
  return standing === 'unknown' ? page.problem : say(`status.${standing}Text`);
}

/**
 * @param {AccountPage} page
 * @param {Standing} standing
 */
function action(page, standing) {
  if (standing === 'on') return undefined;
  const does = {
    weak: button(say('codes.create'), () => void renewCodes(page)),
    off: button(say('status.turnOn'), () => void setUp(page)),
    unknown: button(say('shell.tryAgain'), () => void page.overview(), { look: 'second' }),
  };
  return element('p', { class: 'actions' }, does[standing]);
}

/**
 * Until when a factor of the last minutes counts: then the words go.
 *
 * @param {AccountPage} page
 */
function verified(page) {
  if (!page.isSteppedUp()) return undefined;
  const text = timed((time) => say('stepUp.until', { time }), page.stepUpUntil, clockText);
  const note = element('p', { class: 'aside' }, text);
  setTimeout(() => note.remove(), page.stepUpUntil - Date.now());
  return note;
}

/**
 * Who is signed in, beside the name of the server.
 *
 * @param {AccountPage} page
 */
export function showWho(page) {
  const masthead = document.querySelector('.masthead');
  masthead?.querySelector('.who')?.remove();
  masthead?.append(
    element(
      'span',
      { class: 'who' },
      element('span', {}, page.api.signedIn?.userId),
      button(say('account.signOut'), () => page.leave(), { look: 'link' }),
    ),
  );
}

/** The sections of the page. @param {readonly HTMLElement[]} cards */
export function sectionLinks(cards) {
  return element(
    'nav',
    { 'aria-label': say('account.title') },
    cards.map((card) => {
      const name = card.id === 'off' ? say('off.button') : card.querySelector('h2')?.textContent;
      return element('a', { href: `#${card.id}` }, name);
    }),
  );
}
