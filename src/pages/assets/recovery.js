import { button, element, notice } from './dom.js';
import { askProof } from './proof.js';
import { showNewCodes } from './save_codes.js';
import { dayText, say, timed } from './texts.js';
import { CALLS } from './wire.js';

/** With so many left it is time for new ones. */
const FEW = 3;

/** @typedef {import('./page.js').AccountPage} AccountPage */

/** @param {AccountPage} page */
export function recoveryCard(page) {
  const { codes } = page.state;
  const remaining = codes?.remaining ?? 0;
  return element(
    'section',
    { class: 'card', id: 'codes', 'aria-labelledby': 'codes-title' },
    element(
      'header',
      {},
      element('h2', { id: 'codes-title' }, say('codes.title')),
      element('p', {}, say('codes.intro')),
      button(say('codes.create'), () => void renewCodes(page), { look: 'second row' }),
    ),
    remaining === 0 && notice('warning', element('p', {}, say('codes.none'))),
    remaining > 0 && remaining <= FEW && notice('warning', element('p', {}, say('codes.few'))),
    codes && standing(codes),
    codes &&
      element(
        'p',
        { class: 'plainrow' },
        button(say('codes.delete'), () => void remove(page), { look: 'link row' }),
      ),
  );
}

/** @param {import('./answers.d.ts').RecoveryState} codes */
function standing({ remaining, total, generated_at: made, codes }) {
  const left = say('codes.left', { count: remaining, total });
  return [
    element(
      'p',
      { class: 'plainrow' },
      element('b', {}, left),
      made !== null &&
        element(
          'span',
          { class: 'muted small' },
          ' · ',
          timed((date) => say('codes.made', { date }), made, dayText),
        ),
    ),
    element(
      'div',
      { class: 'bar', role: 'img', 'aria-label': left },
      Array.from({ length: total }, (_, at) => element('i', { class: at < remaining ? undefined : 'used' })),
    ),
    element('p', { class: 'muted small' }, say('codes.notShown')),
    usedOnes(codes),
  ];
}

/** @param {import('./answers.d.ts').RecoveryState['codes']} codes */
function usedOnes(codes) {
  const used = codes.flatMap(({ position, used_at: time }) => (time === null ? [] : [{ position, time }]));
  if (used.length === 0) return undefined;
  const lines = used.map(({ position, time }) =>
    element(
      'li',
      {},
      timed((date) => say('codes.used', { position, date }), time),
    ),
  );
  return element(
    'details',
    {},
    element('summary', {}, say('codes.usedTitle', { count: used.length })),
    element('ul', {}, lines),
  );
}

/** @param {AccountPage} page */
export async function renewCodes(page) {
  const made = await askProof(page, {
    title: say('codes.create'),
    text: say('codes.createText'),
    request: () => ({ call: CALLS.renewCodes, body: {} }),
  });
  if (made === undefined) return;
  showNewCodes(page, made.recovery_codes, {
    user: page.api.signedIn?.userId ?? '',
    done: say('codes.created'),
    next: () => page.overview(),
  });
}

/** @param {AccountPage} page */
async function remove(page) {
  const done = await askProof(page, {
    title: say('codes.delete'),
    text: say('codes.deleteText'),
    action: say('codes.delete'),
    danger: true,
    request: () => ({ call: CALLS.removeCodes, body: {} }),
  });
  if (done !== undefined) await page.overview(say('codes.deleted'), 'warning');
}
