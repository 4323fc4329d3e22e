import { element } from './dom.js';

const SVG = 'http://www.w3.org/2000/svg';

/** What each icon draws, in a square of 20: paths, stroked in the colour of the text. */
const PATHS = {
  phone: 'M7.5 2.5h5a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-5a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM9 14.8h2',
  computer:
    'M4 3.5h12a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5H4A1.5 1.5 0 0 1 2.5 12V5A1.5 1.5 0 0 1 4 3.5zM7 17h6M10 13.5V17',
  browser:
    'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM2.8 10h14.4M10 2.8c2.4 2 3.4 4.4 3.4 7.2s-1 5.2-3.4 7.2c-2.4-2-3.4-4.4-3.4-7.2s1-5.2 3.4-7.2z',
  terminal:
    'M4.3 3.5h11.4a1.8 1.8 0 0 1 1.8 1.8v9.4a1.8 1.8 0 0 1-1.8 1.8H4.3a1.8 1.8 0 0 1-1.8-1.8V5.3a1.8 1.8 0 0 1 1.8-1.8zM6 8l2.4 2.2L6 12.4M10.4 12.6H14',
  other: 'M4.5 5.5h11v9h-11zM8 17.5v-3M12 17.5v-3M8 5.5v-3M12 5.5v-3',
  app: 'M7.5 2.5h5a2 2 0 0 1 2 2v11a2 2 0 0 1-2 2h-5a2 2 0 0 1-2-2v-11a2 2 0 0 1 2-2zM8 8.2h4M8 11h4',
  key: 'M7 7.2a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.6zM10.3 10.5h7.2M14 10.5v2.6M17 10.5v2',
  good: 'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM6.8 10.2l2.2 2.2 4.2-4.6',
  warning: 'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 6.3v4.4M10 13.6h.01',
  unknown:
    'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM7.8 8a2.2 2.2 0 1 1 3 2.1c-.5.2-.8.6-.8 1.1v.3M10 14h.01',
  more: 'M5 9.2a.8.8 0 1 1 0 1.6.8.8 0 0 1 0-1.6zM10 9.2a.8.8 0 1 1 0 1.6.8.8 0 0 1 0-1.6zM15 9.2a.8.8 0 1 1 0 1.6.8.8 0 0 1 0-1.6z',
  clock: 'M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 5.8V10l2.8 2',
  mail: 'M4.3 4.5h11.4a1.8 1.8 0 0 1 1.8 1.8v7.4a1.8 1.8 0 0 1-1.8 1.8H4.3a1.8 1.8 0 0 1-1.8-1.8V6.3a1.8 1.8 0 0 1 1.8-1.8zM3 6.4l7 4.8 7-4.8',
  days: 'M4.3 4.5h11.4a1.8 1.8 0 0 1 1.8 1.8v8.9a1.8 1.8 0 0 1-1.8 1.8H4.3a1.8 1.8 0 0 1-1.8-1.8V6.3a1.8 1.8 0 0 1 1.8-1.8zM2.5 8.5h15M6.5 2.5v3.6M13.5 2.5v3.6',
  person: 'M10 3.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4zM3.8 17c.8-3.2 3.2-4.8 6.2-4.8s5.4 1.6 6.2 4.8',
  lock: 'M6 9h8a2 2 0 0 1 2 2v4a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2v-4a2 2 0 0 1 2-2zM6.6 9V6.6a3.4 3.4 0 0 1 6.8 0V9',
};

/** @typedef {keyof typeof PATHS} IconName */

/**
 * A picture beside words that say the same.
 *
 * @param {IconName} name
 * @param {string} [look]
 */
export function icon(name, look = '') {
  const picture = document.createElementNS(SVG, 'svg');
  picture.setAttribute('viewBox', '0 0 20 20');
  picture.setAttribute('class', `icon ${look}`.trim());
  picture.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', PATHS[name]);
  picture.append(path);
  return picture;
}

/** The icon at the head of a row. @param {IconName} name */
export function tile(name) {
  return element('span', { class: 'tile' }, icon(name));
}

/** What devices tend to be called, the first that fits. @type {readonly (readonly [RegExp, IconName])[]} */
const DEVICES = [
  [/android|\bios\b|iphone|ipad|pixel|galaxy|phone|mobile|tablet/i, 'phone'],
  [/desktop/i, 'computer'],
  [/account page|kontoseite|chrom|firefox|safari|\bedge\b|opera|browser|\bweb\b|https?:/i, 'browser'],
  [/windows|mac ?os|linux|ubuntu|debian|laptop|computer/i, 'computer'],
  [/terminal|shell|\bcli\b|curl|\bbot\b|\btui\b/i, 'terminal'],
];

/**
 * @param {string} name what its user or its app calls a device
 * @returns {IconName}
 */
export function deviceIcon(name) {
  return DEVICES.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}
