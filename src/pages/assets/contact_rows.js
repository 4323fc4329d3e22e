import { button, element } from './dom.js';
import { tile } from './icons.js';
import { askProof } from './proof.js';
import { say } from './texts.js';
import { CALLS } from './wire.js';

/** @typedef {import('./page.js').AccountPage} AccountPage */

/**
 * @param {{ title: string, none: string, add: string }} words
 * @param {HTMLElement[]} rows
 * @param {() => void} add
 */
export function listPart({ title, none, add: action }, rows, add) {
  return [
    element('h3', { class: 'plainrow' }, title),
    rows.length === 0
      ? element('p', { class: 'plainrow muted' }, none)
      : element('ul', { class: 'rows' }, rows),
    element('p', { class: 'plainrow' }, button(action, add, { look: 'second row' })),
  ];
}

/**
 * @param {import('./icons.js').IconName} icon
 * @param {string} name
 * @param {[import('./dom.js').Child, HTMLElement]} about what is said of it, and what can be done
 */
export function row(icon, name, [text, action]) {
  const what = element('div', { class: 'what' }, element('b', {}, name), element('p', {}, text));
  return element('li', {}, tile(icon), what, element('div', { class: 'actions' }, action));
}

/**
 * Changes one part: it asks for the password and a fresh factor, each time.
 *
 * @param {AccountPage} page
 * @param {{ title: string, text: string, fields: import('./dom.js').Field[], body: () => object, isRemoval?: boolean }} asked
 */
export async function put(page, { title, text, fields, body, isRemoval = false }) {
  const choice = element(
    'div',
    {},
    fields.map((field) => field.element),
  );
  const done = await askProof(page, {
    title,
    text,
    choice,
    ...(isRemoval && { action: say('auth.remove'), danger: true }),
    request: () => ({ call: CALLS.changeContacts, body: body() }),
  });
  if (done !== undefined) await page.overview(say('contacts.changed'));
}
