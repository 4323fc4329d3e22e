import { element } from './dom.js';
import { texts } from './texts.js';

/**
 * A card whose rows come once the server has answered.
 *
 * @param {{ title: string, intro: string }} words
 * @param {(rows: HTMLElement) => Promise<void>} fillIn
 */
export function lateCard(words, fillIn) {
  const rows = element('div', { class: 'rows' }, element('p', { class: 'muted' }, texts.loading));
  void fillIn(rows);
  return element(
    'section',
    { class: 'card' },
    element('h2', {}, words.title),
    element('p', {}, words.intro),
    rows,
  );
}
