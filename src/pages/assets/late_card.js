import { button, element, notice } from './dom.js';
import { reasonText, say } from './texts.js';

/**
 * A part of the page that the server is asked for. It is empty only where the server said so.
 *
 * @template Body
 * @typedef {object} Part
 * @property {string} id of the card, for the links of the page
 * @property {string} title
 * @property {string} intro
 * @property {Promise<import('./api.js').ApiAnswer<Body>>} asked what other parts wait for, too
 * @property {() => Promise<import('./api.js').ApiAnswer<Body>>} load asks again
 * @property {(body: unknown) => boolean} isWhole whether a 200 has what it should have
 * @property {(reason: string) => string} notLoaded
 * @property {(body: Body) => { rows: import('./dom.js').Child, action?: HTMLElement }} show the action of the whole card
 *   stands in its head
 */

/**
 * A card whose rows come once the server has answered. A card that could not be loaded says so and why, and asks again
 * when it is told to.
 *
 * @template Body
 * @param {Part<Body>} part
 */
export function lateCard(part) {
  const heading = element('h2', { id: `${part.id}-title`, tabindex: -1 }, part.title);
  const action = element('div', {});
  const rows = element('div', {});
  void load(part.asked);
  return element(
    'section',
    { class: 'card', id: part.id, 'aria-labelledby': `${part.id}-title` },
    element('header', {}, heading, element('p', {}, part.intro), action),
    rows,
  );

  /** @param {Promise<import('./api.js').ApiAnswer<Body>>} asked */
  async function load(asked) {
    rows.replaceChildren(element('p', { class: 'plainrow muted' }, say('account.loading')));
    const answer = await asked;
    const shown = answer.is === 'done' ? drawn(answer.body) : undefined;
    if (shown === undefined) {
      rows.replaceChildren(notLoaded(part.notLoaded(reasonText(answer)), again));
      return;
    }
    rows.replaceChildren(element('div', {}, shown.rows));
    action.replaceChildren(shown.action ?? '');
  }

  /** Undefined where an entry lacks something: else it would be awaited for ever. @param {Body} body */
  function drawn(body) {
    try {
      return part.isWhole(body) ? part.show(body) : undefined;
    } catch {
      return undefined;
    }
  }

  function again() {
    heading.focus();
    void load(part.load());
  }
}

/**
 * Whether a 200 has a list, each of its entries with its text: nothing else says that there are none.
 *
 * @param {unknown} body
 * @param {string} list
 * @param {string} text
 */
export function hasList(body, list, text) {
  const entries = /** @type {Record<string, unknown> | null | undefined} */ (body)?.[list];
  return Array.isArray(entries) && entries.every((entry) => typeof entry?.[text] === 'string');
}

/**
 * Says that something is not known, and why.
 *
 * @param {string} text
 * @param {() => void} again
 */
export function notLoaded(text, again) {
  const told = notice(
    'bad',
    element('p', {}, text),
    element('p', {}, button(say('shell.tryAgain'), again, { look: 'second row' })),
  );
  told.setAttribute('role', 'alert');
  return told;
}
