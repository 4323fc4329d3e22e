import { accountEndCard } from './account_end.js';
import { authenticatorsCard } from './authenticators.js';
import { devicePasswordsCard } from './device_passwords.js';
import { button, element } from './dom.js';
import { historyCard } from './history.js';
import { askProof } from './proof.js';
import { recoveredBanner } from './recovered.js';
import { recoveryCard } from './recovery.js';
import { contactsCard } from './recovery_contacts.js';
import { mayHaveOthers, namesIn, sessionsCard } from './sessions.js';
import { sectionLinks, showWho, statusHeader } from './status.js';
import { accountRecovery, devicePasswords, say } from './texts.js';
import { voteCard } from './vote_card.js';
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
  const devices = page.api.call(CALLS.devices);
  const history = { asked: page.api.call(CALLS.history), names: devices.then(namesIn) };
  const others = devices.then((answer) => mayHaveOthers(page, answer));
  const cards = [
    isKnown && enabled && authenticatorsCard(page),
    isKnown && enabled && recoveryCard(page),
    isKnown && enabled && devicePasswords && devicePasswordsCard(page),
    isKnown && enabled && accountRecovery && contactsCard(page),
    sessionsCard(page, devices),
    historyCard(page, history),
    accountEndCard(page),
    isKnown && enabled && offCard(page),
  ].filter((card) => card !== false);
  showWho(page);
  page.show(
    ...[
      flash,
      statusHeader(page),
      isKnown && enabled && voteCard(page),
      isKnown && !enabled && wayBack(),
      isKnown && enabled && recoveredBanner(page, { ...history, others }),
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

/** @param {AccountPage} page */
function offCard(page) {
  return element(
    'section',
    { class: 'card', id: 'off', 'aria-labelledby': 'off-title' },
    element(
      'header',
      {},
      element('h2', { id: 'off-title' }, say('off.title')),
      element('p', {}, page.say('off.text')),
      button(say('off.button'), () => void turnOff(page), { look: 'second row' }),
    ),
  );
}

/** @param {AccountPage} page */
async function turnOff(page) {
  const done = await askProof(page, {
    title: say('off.title'),
    text: page.say('off.text'),
    action: say('off.button'),
    danger: true,
    request: () => ({ call: CALLS.turnOff, body: {} }),
  });
  if (done !== undefined) await page.overview(say('off.done'), 'warning');
}
