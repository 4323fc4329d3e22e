import { authenticatorsCard } from './authenticators.js';
import { button, element, notice } from './dom.js';
import { historyCard } from './history.js';
import { askProof } from './proof.js';
import { recoveryCard } from './recovery.js';
import { endOthers, sessionsCard } from './sessions.js';
import { setUp } from './setup.js';
import { counted, fill, texts } from './texts.js';
import { CALLS } from './wire.js';

/** @typedef {import('./page.js').AccountPage} AccountPage */

/**
 * All that there is to see and do, once signed in.
 *
 * @param {AccountPage} page
 * @param {HTMLElement} [flash] what has just been done
 */
export function showOverview(page, flash) {
  const { enabled } = page.state;
  page.show(
    ...[
      whoCard(page, flash),
      enabled && authenticatorsCard(page),
      enabled && recoveryCard(page),
      sessionsCard(page),
      historyCard(page),
      helpCard(),
      enabled && offCard(page),
    ].filter((card) => card !== false),
  );
}

/**
 * @param {AccountPage} page
 * @param {HTMLElement} [flash]
 */
function whoCard(page, flash) {
  const { status } = texts;
  const { enabled } = page.state;
  return element(
    'section',
    { class: 'card' },
    flash,
    page.recovered && enabled && recoveredNotice(page),
    element('h1', {}, texts.title),
    element(
      'p',
      { class: 'state' },
      element('span', { class: enabled ? 'badge on' : 'badge', 'aria-hidden': 'true' }),
      element('strong', {}, enabled ? status.on : status.off),
    ),
    !enabled && offer(page),
    element(
      'div',
      { class: 'who' },
      element('span', { class: 'muted' }, fill(status.signedInAs, { user: page.api.signedIn?.userId ?? '' })),
      button(status.signOut, () => page.leave(), { look: 'link' }),
    ),
  );
}

/**
 * Says how users get back in after a loss, before they turn anything on: later they cannot be reached.
 *
 * @param {AccountPage} page
 */
function offer(page) {
  const { status } = texts;
  return [
    element('p', {}, status.offIntro),
    element('h2', {}, status.lossTitle),
    element('p', {}, status.loss),
    element('p', {}, status.lossAll),
    element(
      'div',
      { class: 'actions' },
      button(status.turnOn, () => void setUp(page)),
    ),
  ];
}

/**
 * The phone may be lost or stolen: replacing it and ending its sessions are both offered. Each takes another code.
 *
 * @param {AccountPage} page
 */
function recoveredNotice(page) {
  const { recovered } = texts;
  const { authenticators, codes } = page.state;
  if (codes === undefined || codes.remaining === 0)
    return notice('warning', element('p', {}, recovered.last));
  const [lost, ...others] = authenticators;
  return notice(
    'warning',
    element('p', {}, counted(recovered.text, codes.remaining)),
    element('p', {}, recovered.advice),
    element(
      'div',
      { class: 'actions' },
      lost && others.length === 0 && button(recovered.replace, () => void setUp(page, lost)),
      button(recovered.endOthers, () => void endOthers(page), { look: 'quiet' }),
    ),
  );
}

/** @param {AccountPage} page */
function offCard(page) {
  const { off } = texts;
  return element(
    'section',
    { class: 'card' },
    element('h2', {}, off.title),
    element('p', {}, off.intro),
    button(off.button, () => void turnOff(page), { look: 'danger' }),
  );
}

/** @param {AccountPage} page */
async function turnOff(page) {
  const { off } = texts;
  const done = await askProof(page, {
    title: off.button,
    text: off.text,
    action: off.title,
    danger: true,
    request: () => ({ call: CALLS.removeTotp, body: {} }),
  });
  if (done !== undefined) await page.overview(off.done, 'warning');
}

function helpCard() {
  const { help } = texts;
  return element(
    'section',
    { class: 'card' },
    element('h2', {}, help.title),
    help.items.map(({ question, answer }) =>
      element('details', {}, element('summary', {}, question), element('p', {}, answer)),
    ),
  );
}
