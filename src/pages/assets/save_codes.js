import { button, element, notice } from './dom.js';
import { icon } from './icons.js';
import { saveFile } from './save_file.js';
import { takeAway } from './take_away.js';
import { dayText, say } from './texts.js';

/**
 * Recovery codes, for the one time that they are shown: to copy, download, print. Goes on once they are said to
 * be saved.
 *
 * @param {import('./page.js').AccountPage} page
 * @param {string[]} codes
 * @param {{ steps?: HTMLElement | undefined, done?: string, user: string, next: () => Promise<void> }} options
 *   `done`: what has just been done; `user`: whose codes they are
 */
export function showNewCodes(page, codes, { steps, done, user, next }) {
  const sheet = sheetTitle(user);
  const tick = element('input', { type: 'checkbox', id: 'saved' });
  const missing = element('p', { class: 'problem', id: 'saved-problem', role: 'alert' });
  tick.setAttribute('aria-describedby', 'saved-problem');
  addEventListener('beforeunload', warn);
  page.show(
    element(
      'section',
      { class: 'card printable step-card' },
      element('h1', {}, say('save.title')),
      steps,
      done !== undefined && notice('good', icon('good'), element('p', {}, done)),
      element('p', {}, withLastBold(say('save.text'))),
      element('p', { class: 'only-print' }, sheet),
      listOf(codes),
      element(
        'div',
        { class: 'actions' },
        copyButton(page, codes.join('\n'), say('save.copy')),
        downloadButton(page, [sheet, '', ...codes, ''].join('\n')),
        button(say('save.print'), () => print(), { look: 'second row' }),
      ),
      element('p', { class: 'muted small' }, say('save.where')),
      element('label', { class: 'check ruled' }, tick, say('save.tick')),
      missing,
      element('div', { class: 'actions' }, button(say('save.finish'), finish, { look: 'full' })),
    ),
  );

  function finish() {
    missing.textContent = tick.checked ? '' : say('save.tickFirst');
    tick.setAttribute('aria-invalid', String(!tick.checked));
    if (!tick.checked) return tick.focus();
    removeEventListener('beforeunload', warn);
    return next();
  }
}

/** @param {string[]} codes */
function listOf(codes) {
  const lines = codes.map((code) => element('li', {}, code));
  return element('ul', { class: 'codes', 'aria-label': say('codes.title') }, lines);
}

/** @param {Event} event */
function warn(event) {
  event.preventDefault();
}

/**
 * A text whose last sentence stands out.
 *
 * @param {string} text
 */
function withLastBold(text) {
  const end = text.lastIndexOf('. ') + 1;
  return [text.slice(0, end), ' ', element('b', {}, text.slice(end).trim())];
}

/** What stands above the codes on paper and in the file. @param {string} user */
function sheetTitle(user) {
  const server = document.querySelector('.masthead strong')?.textContent ?? location.host;
  return say('save.sheet', { user, server, date: dayText(Date.now()) });
}

/**
 * @param {import('./page.js').AccountPage} page
 * @param {string} text
 * @param {string} label
 */
export function copyButton(page, text, label) {
  const told = () => {
    copy.textContent = say('save.copied');
    page.announce(say('save.copied'));
  };
  const copy = button(
    label,
    () => {
      navigator.clipboard.writeText(text).then(told, () => takeAway(copy));
    },
    { look: 'second row' },
  );
  // Browsers have no clipboard for pages that came without TLS.
  copy.hidden = navigator.clipboard === undefined;
  return copy;
}

/**
 * The codes can be downloaded only while they are shown, once.
 *
 * @param {import('./page.js').AccountPage} page
 * @param {string} text
 */
function downloadButton(page, text) {
  let isSaved = false;
  const download = button(
    say('save.download'),
    () => {
      if (isSaved) return;
      isSaved = true;
      saveFile(say('save.fileName'), text);
      // Not `disabled`, which would take the focus away.
      download.setAttribute('aria-disabled', 'true');
      download.textContent = say('save.downloaded');
      page.announce(say('save.downloaded'));
    },
    { look: 'second row' },
  );
  return download;
}
