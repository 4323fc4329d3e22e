import { button, element, Field, form } from './dom.js';
import { askProof } from './proof.js';
import { setUp } from './setup.js';
import { dayText, fill, problemText, texts, timeText } from './texts.js';
import { CALLS, renameAuthenticator } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./page.js').Authenticator} Authenticator
 */

/** @param {AccountPage} page */
export function authenticatorsCard(page) {
  const words = texts.authenticators;
  return element(
    'section',
    { class: 'card' },
    element('h2', {}, words.title),
    element('p', {}, words.intro),
    element(
      'ul',
      { class: 'list' },
      page.state.authenticators.map((authenticator) => row(page, authenticator)),
    ),
    button(words.add, () => void setUp(page), { look: 'quiet' }),
  );
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} authenticator
 */
function row(page, authenticator) {
  const words = texts.authenticators;
  const { name, enabled_at: added, last_used_at: used } = authenticator;
  const uses = used === null ? words.neverUsed : fill(words.used, { date: timeText(used) });
  /** @type {HTMLLIElement} */
  const item = element(
    'li',
    {},
    element(
      'div',
      {},
      element('strong', {}, name),
      element('div', { class: 'muted' }, `${fill(words.added, { date: dayText(added) })}, ${uses}`),
    ),
    element(
      'div',
      { class: 'actions' },
      button(words.rename, () => item.replaceChildren(nameForm(page, authenticator)), {
        look: 'quiet',
        label: fill(words.renameOf, { name }),
      }),
      button(words.replace, () => void setUp(page, authenticator), {
        look: 'quiet',
        label: fill(words.replaceOf, { name }),
      }),
      button(words.remove, () => void remove(page, authenticator), {
        look: 'danger',
        label: fill(words.removeOf, { name }),
      }),
    ),
  );
  return item;
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} authenticator
 */
function nameForm(page, { id, name }) {
  const words = texts.authenticators;
  const field = new Field(words.name, { value: name, maxlength: 100, autocomplete: 'off' }, words.nameHint);
  const { element: sheet, refuse } = form(
    async () => {
      const wanted = field.value.trim();
      if (wanted === '' || wanted === name) return page.overview();
      const answer = await page.api.call(renameAuthenticator(id), { name: wanted });
      if (answer.is === 'done') return page.overview(words.renamed);
      return refuse(problemText(answer));
    },
    field.element,
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'button', type: 'submit' }, words.save),
      button(texts.setup.cancel, () => void page.overview(), { look: 'quiet' }),
    ),
  );
  queueMicrotask(() => field.input.select());
  return sheet;
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} authenticator
 */
async function remove(page, { id, name }) {
  const words = texts.authenticators;
  const isLast = page.state.authenticators.length === 1;
  const done = await askProof(page, {
    title: fill(words.removeOf, { name }),
    text: fill(isLast ? words.removeLastText : words.removeText, { name }),
    action: words.remove,
    danger: true,
    request: () => ({ call: CALLS.removeTotp, body: { authenticator_id: id } }),
  });
  if (done !== undefined)
    await page.overview(isLast ? texts.off.done : words.removed, isLast ? 'warning' : 'good');
}
