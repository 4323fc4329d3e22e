import { button, element, notice } from './dom.js';
import { dayText, fill, texts } from './texts.js';

/**
 * Recovery codes, for the one time that they are shown: to copy, download, print. Goes on once they are said to
 * be saved.
 *
 * @param {import('./page.js').AccountPage} page
 * @param {string[]} codes
 * @param {{ title: HTMLElement, user: string, hadCodes: boolean, next: () => void }} options
 *   `user`: whose they are; `hadCodes`: there were others before
 */
export function showNewCodes(page, codes, { title, user, hadCodes, next }) {
  const { saveCodes } = texts;
  const tick = element('input', { type: 'checkbox', id: 'saved' });
  const missing = element('p', { class: 'problem', id: 'saved-problem' }, saveCodes.savedFirst);
  missing.hidden = true;
  tick.setAttribute('aria-describedby', 'saved-problem');

  addEventListener('beforeunload', warn);
  page.show(
    element(
      'section',
      { class: 'card printable' },
      title,
      element('h2', {}, saveCodes.title),
      element('p', {}, saveCodes.intro),
      element('p', { class: 'only-print' }, fill(saveCodes.fileTitle, { user })),
      element(
        'ul',
        { class: 'codes', 'aria-label': saveCodes.list },
        codes.map((code) => element('li', {}, code)),
      ),
      element(
        'div',
        { class: 'actions' },
        copyButton(page, codes),
        downloadButton(page, codes, user),
        printButton(),
      ),
      element('p', { class: 'muted' }, saveCodes.where),
      notice('warning', element('p', {}, `${saveCodes.warning}${hadCodes ? ` ${saveCodes.oldDead}` : ''}`)),
      element('label', { class: 'check' }, tick, saveCodes.saved),
      missing,
      element('div', { class: 'actions' }, button(saveCodes.finish, finish)),
    ),
  );

  function finish() {
    missing.hidden = tick.checked;
    if (!tick.checked) {
      tick.focus();
      return;
    }
    removeEventListener('beforeunload', warn);
    next();
  }
}

/** @param {Event} event */
function warn(event) {
  event.preventDefault();
}

/**
 * @param {import('./page.js').AccountPage} page
 * @param {string[]} codes
 */
function copyButton(page, codes) {
  const told = () => {
    copy.textContent = texts.saveCodes.copied;
    page.announce(texts.saveCodes.copied);
  };
  const copy = button(texts.saveCodes.copy, () => {
    navigator.clipboard.writeText(codes.join('\n')).then(told, () => copy.remove());
  });
  copy.classList.add('quiet');
  // Browsers have no clipboard for pages that came without TLS.
  copy.hidden = navigator.clipboard === undefined;
  return copy;
}

/**
 * The codes can be downloaded only while they are shown, once.
 *
 * @param {import('./page.js').AccountPage} page
 * @param {string[]} codes
 * @param {string} user
 */
function downloadButton(page, codes, user) {
  const { saveCodes } = texts;
  const download = button(saveCodes.download, () => {
    const text = [
      fill(saveCodes.fileTitle, { user }),
      fill(saveCodes.fileMade, { date: dayText(Date.now()) }),
      '',
      ...codes,
      '',
    ].join('\n');
    save(saveCodes.fileName, text);
    download.disabled = true;
    download.textContent = saveCodes.downloaded;
    page.announce(saveCodes.downloaded);
  });
  download.classList.add('quiet');
  return download;
}

function printButton() {
  return button(texts.saveCodes.print, () => print(), { look: 'quiet' });
}

/**
 * @param {string} name
 * @param {string} text
 */
function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain;charset=utf-8' }));
  const link = element('a', { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}
