import { CodeField } from './code_field.js';
import { button, element, form } from './dom.js';
import { qrCode } from './qr.js';
import { copyButton } from './save_codes.js';
import { digits, problemText, say } from './texts.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').TotpSetupAnswer} Setup
 * @typedef {import('./set_up_way.js').SetUpWay} Way
 */

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
 * An app is set up: the picture to scan, then its first code.
 *
 * @param {AccountPage} page
 * @param {Setup} setup
 * @param {Way} way
 */
export function showScan(page, setup, way) {
  page.show(
    element(
      'section',
      { class: 'card step-card' },
      element('h1', {}, way.title),
      stepsList(1),
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
        // Where the app is opened first, that is the one thing to do.
        button(say('setup.next'), () => showVerify(page, setup, way), { look: isPhone() ? 'second' : '' }),
        button(say('shell.cancel'), () => way.cancel(), { look: 'plain' }),
      ),
    ),
  );
}

/** Whether the app may be on this device. */
function isPhone() {
  return matchMedia('(pointer: coarse), (max-width: 30rem)').matches;
}

/** On a phone the app is opened first; elsewhere the picture is scanned with one. @param {Setup} setup */
function waysToTheApp({ uri }) {
  const scanText = element('p', {}, say('setup.scanText'));
  const picture = qrCode(uri, say('setup.picture'));
  const open = (/** @type {string} */ look) => [
    element('p', {}, say('setup.openText')),
    element('p', {}, element('a', { class: `button ${look}`, href: uri }, say('setup.open'))),
  ];
  if (!isPhone())
    return [
      element('h2', {}, say('setup.scan')),
      element('div', { class: 'scan' }, picture, element('div', {}, scanText, open('second'))),
    ];
  return [
    open('full'),
    element('details', {}, element('summary', {}, say('setup.scanOther')), scanText, picture),
  ];
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
  const { element: sheet, refuse } = form(
    submit,
    element('p', {}, say('setup.check')),
    code.element,
    way.fields,
    element(
      'div',
      { class: 'actions' },
      element('button', { class: 'button', type: 'submit' }, say('code.submit')),
      button(say('shell.back'), () => showScan(page, setup, way), { look: 'plain' }),
    ),
  );
  page.show(
    element('section', { class: 'card step-card' }, element('h1', {}, way.title), stepsList(2), sheet),
  );
  code.field.input.focus();

  async function submit() {
    code.clear();
    if (code.isMissing()) return code.field.fail(say('code.missing'));
    const answer = await way.confirm({ token: code.token });
    if (answer.is === 'done') return way.confirmed(answer.body, stepsList(3));
    if (answer.status === 403) return code.refuse(say('setup.wrong'));
    if (answer.status === 404) return way.expired();
    return refuse(problemText(answer));
  }
}
