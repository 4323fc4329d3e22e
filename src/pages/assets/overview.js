import { authenticatorsCard } from './authenticators.js';
import { button, element, notice } from './dom.js';
import { historyCard } from './history.js';
import { askProof } from './proof.js';
import { recoveryCard } from './recovery.js';
import { endOthers, sessionsCard } from './sessions.js';
import { setUp } from './setup.js';
import { sectionLinks, showWho, statusHeader } from './status.js';
import { say, texts } from './texts.js';
import { CALLS } from './wire.js';

/** @typedef {import('./page.js').AccountPage} AccountPage */

/**
 * All that there is to see and do, once signed in. What needs the state of the account stands there only where the
 * state is known.
 *
 * @param {AccountPage} page
 * @param {HTMLElement} [flash] what has just been done
 */
export function showOverview(page, flash) {
  const { enabled } = page.state;
  const isKnown = page.problem === undefined;
  flash?.setAttribute('role', 'status');
  const cards = [
    isKnown && enabled && authenticatorsCard(page),
    isKnown && enabled && recoveryCard(page),
    sessionsCard(page),
    historyCard(page),
    helpCard(),
    isKnown && enabled && offCard(page),
  ].filter((card) => card !== false);
  showWho(page);
  page.show(
    ...[
      flash,
      statusHeader(page),
      isKnown && !enabled && wayBack(),
      isKnown && enabled && page.recovered && recoveredNotice(page),
      element('div', { class: 'columns' }, sectionLinks(cards), element('div', { class: 'sections' }, cards)),
    ].filter((part) => part !== false && part !== undefined),
  );
}

/** Says how users get back in after a loss, before they turn anything on: later they cannot be reached. */
function wayBack() {
  return element(
    'section',
    { class: 'card after-status' },
    element(
      'details',
      { open: true },
      element('summary', {}, say('help.lost.title')),
      element('p', {}, say('help.lost.text')),
    ),
  );
}

/**
 * The phone may be lost or stolen: replacing it and ending its sessions are both offered.
 *
 * @param {AccountPage} page
 */
function recoveredNotice(page) {
  const { authenticators, codes } = page.state;
  const count = codes?.remaining ?? 0;
  const [lost, ...others] = authenticators;
  return notice(
    'warning',
    element('h2', {}, say('recovered.title')),
    element('p', {}, count === 0 ? say('recovered.last') : say('recovered.again', { count })),
    element(
      'div',
      { class: 'actions' },
      lost && others.length === 0 && button(say('confirm.replace'), () => void setUp(page, lost)),
      button(say('sessions.signOutOthers'), () => void endOthers(page), { look: 'second' }),
    ),
  );
}

/** @param {AccountPage} page */
function offCard(page) {
  return element(
    'section',
    { class: 'card', id: 'off', 'aria-labelledby': 'off-title' },
    element(
      'header',
      {},
      element('h2', { id: 'off-title' }, say('off.title')),
      element('p', {}, say('off.text')),
      button(say('off.button'), () => void turnOff(page), { look: 'second row' }),
    ),
  );
}

/** @param {AccountPage} page */
async function turnOff(page) {
  const done = await askProof(page, {
    title: say('off.title'),
    text: say('off.text'),
    action: say('off.button'),
    danger: true,
    request: () => ({ call: CALLS.turnOff, body: {} }),
  });
  if (done !== undefined) await page.overview(say('off.done'), 'warning');
}

function helpCard() {
  const { help } = texts;
  return element(
    'section',
    { class: 'card', id: 'help', 'aria-labelledby': 'help-title' },
    element('header', {}, element('h2', { id: 'help-title' }, help.title)),
    help.items.map(({ question, answer }) =>
      element('details', {}, element('summary', {}, question), element('p', {}, answer)),
    ),
  );
}
