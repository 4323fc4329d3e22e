import { button, element, notice } from './dom.js';
import { askProof } from './proof.js';
import { showNewCodes } from './save_codes.js';
import { counted, dayText, fill, texts, timeText } from './texts.js';
import { CALLS } from './wire.js';

/** With so many left it is time for new ones. */
const FEW = 3;

/** @typedef {import('./page.js').AccountPage} AccountPage */

/** @param {AccountPage} page */
export function recoveryCard(page) {
  const words = texts.codes;
  const { codes } = page.state;
  const remaining = codes?.remaining ?? 0;
  return element(
    'section',
    { class: 'card' },
    element('h2', {}, words.title),
    remaining === 0 && notice('bad', element('p', {}, words.none)),
    remaining > 0 && remaining <= FEW && notice('warning', element('p', {}, words.few)),
    element('p', {}, words.intro),
    codes && standing(codes),
    element(
      'div',
      { class: 'actions' },
      button(words.create, () => void create(page), { look: remaining > FEW ? 'quiet' : '' }),
      codes && button(words.remove, () => void remove(page), { look: 'danger' }),
    ),
  );
}

/** @param {import('./answers.d.ts').RecoveryState} codes */
function standing({ remaining, total, generated_at: generated, codes }) {
  const words = texts.codes;
  const used = codes.flatMap(({ position, used_at: time }) => (time === null ? [] : [{ position, time }]));
  return [
    element(
      'p',
      {},
      element('strong', {}, counted(words.left, remaining, { total })),
      ` ${fill(words.generated, { date: generated === null ? '' : dayText(generated) })}. ${words.exist}`,
    ),
    used.length > 0 &&
      element(
        'details',
        {},
        element('summary', {}, counted(words.usedTitle, used.length)),
        element(
          'ul',
          {},
          used.map(({ position, time }) =>
            element('li', {}, fill(words.used, { position, date: timeText(time) })),
          ),
        ),
      ),
  ];
}

/** @param {AccountPage} page */
async function create(page) {
  const words = texts.codes;
  const made = await askProof(page, {
    title: words.create,
    text: words.createText,
    request: () => ({ call: CALLS.renewCodes, body: {} }),
  });
  if (made === undefined) return;
  showNewCodes(page, made.recovery_codes, {
    user: page.api.signedIn?.userId ?? '',
    title: element('h1', {}, words.title),
    hadCodes: page.state.codes !== undefined,
    next: () => void page.overview(),
  });
}

/** @param {AccountPage} page */
async function remove(page) {
  const words = texts.codes;
  const done = await askProof(page, {
    title: words.remove,
    text: words.removeText,
    action: words.remove,
    danger: true,
    request: () => ({ call: CALLS.removeCodes, body: {} }),
  });
  if (done !== undefined) await page.overview(words.removed, 'warning');
}
