import { CodeField } from './code_field.js';
import { button, element, form } from './dom.js';
import { askProof } from './proof.js';
import { qrCode } from './qr.js';
import { showNewCodes } from './save_codes.js';
import { digits, fill, problems, problemText, texts } from './texts.js';
import { CALLS } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./page.js').Authenticator} Authenticator
 * @typedef {import('./answers.d.ts').TotpSetupAnswer} Setup
 */

/**
 * Turns 2FA on, or adds an authenticator, or puts one in the place of another: scan, confirm, save the codes.
 *
 * @param {AccountPage} page
 * @param {Authenticator} [old] the one that is to be replaced
 */
export async function setUp(page, old) {
  const title = titleFor(page, old);
  const setup = await askProof(page, {
    title,
    text: texts.setup.proof,
    action: texts.setup.next,
    name: {
      label: texts.authenticators.name,
      value: texts.authenticators.usualName,
      hint: texts.authenticators.nameHint,
    },
    request: (name) => ({ call: CALLS.setUpTotp, body: name === '' ? {} : { name } }),
  });
  if (setup !== undefined) showScan(page, setup, old);
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} [old]
 */
function titleFor(page, old) {
  if (old !== undefined) return fill(texts.setup.replaceTitle, { name: old.name });
  return page.state.enabled ? texts.setup.addTitle : texts.setup.title;
}

/**
 * @param {AccountPage} page
 * @param {number} step 1 to 3
 * @param {Authenticator} [old]
 */
function heading(page, step, old) {
  const { steps, progress } = texts.setup;
  return element(
    'header',
    {},
    element('h1', {}, titleFor(page, old)),
    element('p', { class: 'visually-hidden' }, fill(progress, { step })),
    element(
      'ol',
      { class: 'steps' },
      steps.map((text, at) =>
        element(
          'li',
          { 'aria-current': at + 1 === step ? 'step' : undefined, class: at + 1 < step ? 'done' : undefined },
          text,
        ),
      ),
    ),
  );
}

/**
 * @param {AccountPage} page
 * @param {Setup} setup
 * @param {Authenticator} [old]
 */
function showScan(page, setup, old) {
  const words = texts.setup;
  page.show(
    element(
      'section',
      { class: 'card' },
      heading(page, 1, old),
      element('h2', {}, words.scanTitle),
      element('p', {}, words.scan),
      qrCode(setup.uri, words.picture),
      element('p', {}, element('a', { class: 'button quiet', href: setup.uri }, words.openApp)),
      element(
        'details',
        {},
        element('summary', {}, words.cannotScan),
        element('p', {}, fill(words.manual, { digits })),
        element('p', {}, element('code', { class: 'secret' }, grouped(setup.seed))),
        copySecret(page, setup.seed),
      ),
      element(
        'div',
        { class: 'actions' },
        button(words.next, () => showConfirm(page, setup, old)),
        button(words.cancel, () => void page.overview(), { look: 'quiet' }),
      ),
    ),
  );
}

/**
 * In groups of four: easier to type.
 *
 * @param {string} seed
 */
function grouped(seed) {
  return (seed.match(/.{1,4}/g) ?? []).join(' ');
}

/**
 * @param {AccountPage} page
 * @param {string} seed
 */
function copySecret(page, seed) {
  const told = () => {
    page.announce(texts.saveCodes.copied);
    copy.textContent = texts.saveCodes.copied;
  };
  const copy = button(texts.setup.copySecret, () => {
    navigator.clipboard.writeText(seed).then(told, () => copy.remove());
  });
  copy.classList.add('quiet');
  copy.hidden = navigator.clipboard === undefined;
  return copy;
}

/**
 * @param {AccountPage} page
 * @param {Setup} setup
 * @param {Authenticator} [old]
 */
function showConfirm(page, setup, old) {
  const words = texts.setup;
  const code = new CodeField({ onlyApp: true, onComplete: () => sheet.requestSubmit() });
  const { element: sheet, refuse } = form(
    submit,
    element('p', {}, words.confirm),
    code.element,
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'button', type: 'submit' }, words.confirmButton),
      button(words.back, () => showScan(page, setup, old), { look: 'quiet' }),
    ),
  );
  page.show(
    element(
      'section',
      { class: 'card' },
      heading(page, 2, old),
      element('h2', {}, words.confirmTitle),
      sheet,
    ),
  );
  code.field.input.focus();

  async function submit() {
    code.clear();
    if (code.isMissing()) return code.field.fail(problems.missingCode);
    const answer = await page.api.call(CALLS.confirmTotp, {
      setup_id: setup.setup_id,
      token: code.token,
    });
    if (answer.is === 'done') return showCodes(page, answer.body.recovery_codes, old);
    if (answer.status === 403) return code.refuse(words.wrong);
    if (answer.status === 404) return page.overview(words.expired, 'warning');
    return refuse(problemText(answer));
  }
}

/**
 * @param {AccountPage} page
 * @param {string[]} codes
 * @param {Authenticator} [old]
 */
function showCodes(page, codes, old) {
  const wasOn = page.state.enabled;
  showNewCodes(page, codes, {
    title: heading(page, 3, old),
    hadCodes: page.state.codes !== undefined,
    next: () => {
      page.recovered = false;
      if (old === undefined) void page.overview(wasOn ? texts.setup.doneAdded : texts.setup.doneOn);
      else void removeOld(page, old);
    },
  });
}

/**
 * @param {AccountPage} page
 * @param {Authenticator} old
 */
async function removeOld(page, old) {
  const { name } = old;
  await page.overview(fill(texts.setup.keptOld, { name }), 'warning');
  const removed = await askProof(page, {
    title: texts.setup.removeOldTitle,
    text: fill(texts.setup.removeOldText, { name }),
    action: texts.authenticators.remove,
    request: () => ({ call: CALLS.removeTotp, body: { authenticator_id: old.id } }),
  });
  if (removed !== undefined) await page.overview(texts.setup.replaced);
}
