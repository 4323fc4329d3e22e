import { CodeField } from './code_field.js';
import { button, element, Field, form } from './dom.js';
import { proofText } from './factor_field.js';
import { askProof } from './proof.js';
import { qrCode } from './qr.js';
import { copyButton, showNewCodes } from './save_codes.js';
import { digits, problems, problemText, say } from './texts.js';
import { CALLS, renameAuthenticator } from './wire.js';

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
 * @property {string} done what has been done in the end
 * @property {string} [usualName] what the authenticator is called unless its user says otherwise, where it can be named
 * @property {boolean} keepsCodes whether the saved recovery codes stay good, unless new ones are wanted
 * @property {(token: string, newCodes: boolean) => Promise<import('./api.js').ApiAnswer<Confirmed>>} confirm
 * @property {() => void} cancel
 * @property {() => void} expired
 * @property {() => void} next after the codes were saved
 */

/**
 * Turns 2FA on, or adds an authenticator, or puts one in the place of another: scan, verify, save the codes.
 *
 * @param {AccountPage} page
 * @param {Authenticator} [old] the one that is to be replaced
 */
export async function setUp(page, old) {
  const wasOn = page.state.enabled;
  const title = old ? say('auth.replaceOf', { name: old.name }) : say(wasOn ? 'auth.add' : 'setup.title');
  const setup = await askProof(page, {
    title,
    text: wasOn && !page.isSteppedUp() ? proofText(page) : say('proof.password'),
    action: say('proof.submit'),
    stepUp: 'typed',
    request: () => ({ call: CALLS.setUpTotp, body: old ? { replaces: replacing(page, old) } : {} }),
  });
  if (setup === undefined) return;
  const done = say(old ? 'setup.doneReplaced' : wasOn ? 'setup.doneAdded' : 'setup.doneOn');
  const keepsCodes = setup.recovery_codes === 'kept';
  showScan(page, setup, {
    title,
    user: page.api.signedIn?.userId ?? '',
    done,
    usualName: usualName(page, old),
    keepsCodes,
    confirm: (token, newCodes) =>
      page.api.call(CALLS.confirmTotp, {
        setup_id: setup.setup_id,
        token,
        ...(keepsCodes && { recovery_codes: newCodes }),
      }),
    cancel: () => void page.overview(),
    expired: () => void page.overview(say('setup.expired'), 'warning'),
    next: () => {
      page.recovered = false;
      void page.overview(done);
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
 * "Authenticator app", then "Authenticator app 2": the first that no other has.
 *
 * @param {AccountPage} page
 * @param {Authenticator} [old]
 */
function usualName({ state }, old) {
  const taken = state.authenticators.filter((each) => each !== old).map(({ name }) => name);
  const name = say('setup.defaultName');
  for (let number = 1; ; number++) {
    const wanted = number === 1 ? name : `${name} ${number}`;
    if (!taken.includes(wanted)) return wanted;
  }
}

/** @param {number} step 1 to 3 */
function stepsList(step) {
  return element(
    'ol',
    { class: 'steps' },
    say('setup.steps')
      .split(' · ')
      .map((text, at) =>
        element(
          'li',
          { 'aria-current': at + 1 === step ? 'step' : undefined, class: at + 1 < step ? 'done' : undefined },
          text,
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
  page.show(
    element(
      'section',
      { class: 'card step-card' },
      element('h1', {}, way.title),
      stepsList(1),
      way.intro === undefined ? undefined : element('p', {}, way.intro),
      waysToTheApp(setup),
      element(
        'details',
        {},
        element('summary', {}, say('setup.cannotScan')),
        element('p', {}, say('setup.key', { digits })),
        element('p', { class: 'key' }, grouped(setup.seed)),
        copyButton(page, setup.seed, say('setup.copyKey')),
      ),
      element(
        'div',
        { class: 'actions' },
        button(say('setup.next'), () => showVerify(page, setup, way)),
        button(say('shell.cancel'), way.cancel, { look: 'second' }),
      ),
    ),
  );
}

/** On a phone the app is opened first; elsewhere the picture is scanned with one. @param {Setup} setup */
function waysToTheApp({ uri }) {
  const scan = [element('p', {}, say('setup.scanText')), qrCode(uri, say('setup.picture'))];
  const open = (/** @type {string} */ look) => [
    element('p', {}, say('setup.openText')),
    element('p', {}, element('a', { class: `button ${look}`, href: uri }, say('setup.open'))),
  ];
  if (!matchMedia('(pointer: coarse), (max-width: 30rem)').matches)
    return [element('h2', {}, say('setup.scan')), scan, open('second')];
  return [open(''), element('details', {}, element('summary', {}, say('setup.scanOther')), scan)];
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
 * @param {Setup} setup
 * @param {Way} way
 */
function showVerify(page, setup, way) {
  const code = new CodeField({ only: 'app' });
  const name =
    way.usualName === undefined
      ? undefined
      : new Field(
          say('setup.name'),
          { name: 'name', maxlength: 100, autocomplete: 'off', placeholder: way.usualName },
          say('setup.nameHint'),
        );
  const newCodes = element('input', { type: 'checkbox', name: 'new_codes' });
  const { element: sheet, refuse } = form(
    submit,
    element('p', {}, say('setup.check')),
    code.element,
    name?.element,
    way.keepsCodes && [
      element('p', {}, say('setup.codesKept')),
      element('label', { class: 'check' }, newCodes, say('setup.newCodes')),
    ],
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'button', type: 'submit' }, say('code.submit')),
      button(say('shell.back'), () => showScan(page, setup, way), { look: 'second' }),
    ),
  );
  page.show(
    element('section', { class: 'card step-card' }, element('h1', {}, way.title), stepsList(2), sheet),
  );
  code.field.input.focus();

  async function submit() {
    code.clear();
    if (code.isMissing()) return code.field.fail(problems.missingCode);
    const answer = await way.confirm(code.token, newCodes.checked);
    if (answer.is === 'done') return confirmed(answer.body);
    if (answer.status === 403) return code.refuse(say('setup.wrong'));
    if (answer.status === 404) return way.expired();
    return refuse(problemText(answer));
  }

  /** @param {Confirmed} answer */
  async function confirmed({ authenticator_id: id, recovery_codes: codes }) {
    // A name that cannot be given now can be given later.
    if (name) await page.api.call(renameAuthenticator(id), { name: name.value.trim() || way.usualName });
    const { user, done, next } = way;
    // The saved ones stay good, or the operator wants none.
    if (codes.length === 0) return next();
    return showNewCodes(page, codes, { steps: stepsList(3), done, user, next });
  }
}
