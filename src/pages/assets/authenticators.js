import { askName } from './dialog.js';
import { button, element } from './dom.js';
import { icon, tile } from './icons.js';
import { askProof } from './proof.js';
import { remarks } from './remarks.js';
import { setUp } from './setup.js';
import { dayText, problemText, say, timed } from './texts.js';
import { APP, PASSKEY, removeAuthenticator, renameAuthenticator } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./page.js').Authenticator} Authenticator
 */

/** @param {AccountPage} page */
export function authenticatorsCard(page) {
  return element(
    'section',
    { class: 'card', id: 'authenticators', 'aria-labelledby': 'authenticators-title' },
    element(
      'header',
      {},
      element('h2', { id: 'authenticators-title' }, say('auth.title')),
      element('p', {}, say('auth.intro')),
      button(say('auth.add'), () => void setUp(page), { look: 'row' }),
    ),
    element(
      'ul',
      { class: 'rows' },
      page.state.authenticators.map((authenticator) => row(page, authenticator)),
    ),
  );
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} authenticator
 */
function row(page, authenticator) {
  const { kind, name, enabled_at: added, last_used_at: used } = authenticator;
  return element(
    'li',
    {},
    tile(kind === PASSKEY ? 'key' : 'app'),
    element(
      'div',
      { class: 'what' },
      element('b', {}, name),
      element('p', {}, kindText(kind), useDates(added, used)),
      remarks(authenticator),
    ),
    element(
      'div',
      { class: 'actions' },
      button(say('auth.rename'), () => rename(page, authenticator), {
        look: 'plain row',
        label: say('auth.renameOf', { name }),
      }),
      button(say('auth.replace'), () => void setUp(page, authenticator), {
        look: 'second row',
        label: say('auth.replaceOf', { name }),
      }),
      element(
        'details',
        { class: 'menu' },
        element('summary', { 'aria-label': say('auth.more', { name }) }, icon('more')),
        button(say('auth.remove'), () => void remove(page, authenticator), {
          look: 'second row',
          label: say('auth.removeOf', { name }),
        }),
      ),
    ),
  );
}

/** The kind in words, before the dates; another's kind has none here. @param {string} kind */
function kindText(kind) {
  if (kind === PASSKEY) return `${say('auth.passkey')} · `;
  return kind === APP && `${say('setup.defaultName')} · `;
}

/**
 * When something was added and last used, as times that programs read too.
 *
 * @param {number} added
 * @param {number | null} used
 */
export function useDates(added, used) {
  if (used === null) {
    const never = say('auth.neverUsed');
    return timed((date) => say('auth.datesUnused', { date, never }), added, dayText);
  }
  const mark = '\u0001';
  const whole = timed((date) => say('auth.dates', { date, used: mark }), added, dayText);
  return whole.map((part) => {
    if (typeof part !== 'string' || !part.includes(mark)) return part;
    return timed((date) => part.replace(mark, date), used);
  });
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} authenticator
 */
function rename(page, { id, name }) {
  const asked = {
    title: say('auth.renameOf', { name }),
    label: say('setup.name'),
    hint: say('setup.nameHint'),
    name,
  };
  askName(asked, async (wanted) => {
    const answer = await page.api.call(renameAuthenticator(id), { name: wanted });
    if (answer.is !== 'done') return problemText(answer);
    void page.overview(say('auth.renamed'));
    return undefined;
  });
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} authenticator
 */
async function remove(page, { kind, id, name }) {
  const isLast = page.state.authenticators.length === 1;
  const text = say(isLast ? 'auth.removeLast' : kind === APP ? 'auth.removeText' : 'auth.removeKey', {
    name,
  });
  const done = await askProof(page, {
    title: say('auth.removeOf', { name }),
    text,
    action: say('auth.remove'),
    danger: true,
    request: () => ({ call: removeAuthenticator(kind), body: { authenticator_id: id } }),
  });
  if (done === undefined) return;
  await page.overview(isLast ? say('off.done') : say('auth.removed'), isLast ? 'warning' : 'good');
}
