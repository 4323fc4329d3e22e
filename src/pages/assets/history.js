import { button, element } from './dom.js';
import { lateCard } from './late_card.js';
import { fill, texts, timeText } from './texts.js';
import { CALLS } from './wire.js';

/** Shown at once; the rest on demand. */
const FIRST = 5;

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').HistoryAnswer['events'][number]} Happening
 */

/**
 * @param {AccountPage} page
 */
export function historyCard(page) {
  return lateCard(texts.history, (rows) => fillIn(page, rows));
}

/**
 * @param {AccountPage} page
 * @param {HTMLElement} rows
 */
async function fillIn(page, rows) {
  const words = texts.history;
  const answer = await page.api.call(CALLS.history);
  const events = answer.is === 'done' ? answer.body.events : [];
  if (events.length === 0) {
    rows.replaceChildren(element('p', { class: 'muted' }, words.none));
    return;
  }
  const list = element('ul', { class: 'list' }, events.slice(0, FIRST).map(row));
  const more = button(words.more, showRest, { look: 'link' });
  rows.replaceChildren(list, events.length > FIRST ? more : '');

  function showRest() {
    const rest = events.slice(FIRST).map(row);
    list.append(...rest);
    more.remove();
    rest[0]?.setAttribute('tabindex', '-1');
    rest[0]?.focus();
  }
}

/** @param {Happening} happening */
function row({ at, event, address }) {
  /** @type {Record<string, string>} */
  const names = texts.history.events;
  const place = address === null ? '' : `, ${fill(texts.history.from, { address })}`;
  return element(
    'li',
    {},
    element('div', {}, names[event] ?? event, element('div', { class: 'muted' }, timeText(at) + place)),
  );
}
