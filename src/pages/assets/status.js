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
  return standing === 'unknown' ? page.problem : page.say(`status.${standing}Text`);
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
    unknown: button(say('shell.tryAgain'), () => page.overview(), { look: 'second' }),
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
  const links = cards.map((card) => {
    const name = card.id === 'off' ? say('off.button') : card.querySelector('h2')?.textContent;
    return element('a', { href: `#${card.id}` }, name);
  });
  const nav = element('nav', { 'aria-label': say('account.title') }, links);
  const over = new AbortController();
  const mark = () => {
    if (!nav.isConnected) return over.abort();
    const current = cardInSight(cards);
    for (const [at, link] of links.entries()) {
      if (cards[at] === current) link.setAttribute('aria-current', 'location');
      else link.removeAttribute('aria-current');
    }
  };
  addEventListener('scroll', mark, { passive: true, signal: over.signal });
  requestAnimationFrame(mark);
  return nav;
}

/**
 * The section that is read: the first that does not end in the upper third of the window; at the end of the page the last.
 *
 * @param {readonly HTMLElement[]} cards
 */
function cardInSight(cards) {
  const isAtEnd = scrollY > 0 && Math.ceil(scrollY + innerHeight) >= document.documentElement.scrollHeight;
  const [last] = cards.slice(-1);
  const first = cards.find((card) => card.getBoundingClientRect().bottom > innerHeight / 3);
  return (isAtEnd ? undefined : first) ?? last;
}
