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
 * @typedef {import('./answers.d.ts').TotpConfirmAnswer} Confirmed
 */

/**
 * What the steps of a set-up are a part of.
 *
 * @typedef {object} Way
 * @property {string} title
 * @property {string} [intro] what is said before the first step
 * @property {string} user whose codes they are, for the file that holds them
 * @property {boolean} hadCodes whether there were other recovery codes before
 * @property {(token: string) => Promise<import('./api.js').ApiAnswer<Confirmed>>} confirm
 * @property {() => void} cancel
 * @property {() => void} expired
 * @property {() => void} next after the codes were saved
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
    stepUp: 'typed',
    name: {
      label: texts.authenticators.name,
      value: texts.authenticators.usualName,
      hint: texts.authenticators.nameHint,
    },
    request: (name) => ({
      call: CALLS.setUpTotp,
      body: { ...(name === '' ? {} : { name }), ...(old && { replaces: replacing(page, old) }) },
    }),
  });
  if (setup === undefined) return;
  const wasOn = page.state.enabled;
  showScan(page, setup, {
    title,
    user: page.api.signedIn?.userId ?? '',
    hadCodes: page.state.codes !== undefined,
    confirm: (token) => page.api.call(CALLS.confirmTotp, { setup_id: setup.setup_id, token }),
    cancel: () => void page.overview(),
    expired: () => void page.overview(texts.setup.expired, 'warning'),
    next: () => {
      page.recovered = false;
      void page.overview(doneText(wasOn, old));
    },
  });
}

/**
 * The only one is replaced as all: its recovery codes may be lost with it, so there are new ones.
 *
 * @param {AccountPage} page
 * @param {Authenticator} old
 */
function replacing({ state }, old) {
  return state.authenticators.length === 1 ? 'all' : [old.id];
}

/**
 * @param {boolean} wasOn whether 2FA was on before
 * @param {Authenticator} [old] the one that is replaced
 */
function doneText(wasOn, old) {
  if (old !== undefined) return texts.setup.replaced;
  return wasOn ? texts.setup.doneAdded : texts.setup.doneOn;
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
 * @param {Way} way
 * @param {number} step 1 to 3
 */
function heading({ title }, step) {
  const { steps, progress } = texts.setup;
  return element(
    'header',
    {},
    element('h1', {}, title),
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
 * @param {Way} way
 */
function showScan(page, setup, way) {
  const words = texts.setup;
  page.show(
    element(
      'section',
      { class: 'card' },
      heading(way, 1),
      way.intro === undefined ? undefined : element('p', {}, way.intro),
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
        button(words.next, () => showConfirm(page, setup, way)),
        button(words.cancel, way.cancel, { look: 'quiet' }),
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
 * @param {Way} way
 */
function showConfirm(page, setup, way) {
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
      button(words.back, () => showScan(page, setup, way), { look: 'quiet' }),
    ),
  );
  page.show(
    element('section', { class: 'card' }, heading(way, 2), element('h2', {}, words.confirmTitle), sheet),
  );
  code.field.input.focus();

  async function submit() {
    code.clear();
    if (code.isMissing()) return code.field.fail(problems.missingCode);
    const answer = await way.confirm(code.token);
    if (answer.is === 'done') return showCodes(page, answer.body.recovery_codes, way);
    if (answer.status === 403) return code.refuse(words.wrong);
    if (answer.status === 404) return way.expired();
    return refuse(problemText(answer));
  }
}

/**
 * @param {AccountPage} page
 * @param {string[]} codes
 * @param {Way} way
 */
function showCodes(page, codes, way) {
  const { user, hadCodes, next } = way;
  // The operator may want no recovery codes.
  if (codes.length === 0) return next();
  return showNewCodes(page, codes, { title: heading(way, 3), user, hadCodes, next });
}
