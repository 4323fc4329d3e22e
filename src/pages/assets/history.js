import { linesOf } from './activity.js';
import { button, element } from './dom.js';
import { tile } from './icons.js';
import { hasList, lateCard } from './late_card.js';
import { eventText, say, timed } from './texts.js';
import { CALLS, PASSKEY } from './wire.js';

/** Shown at once; the rest on demand. */
const FIRST = 5;

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./activity.js').Line} Line
 * @typedef {import('./api.js').ApiAnswer<import('./answers.d.ts').HistoryAnswer>} HistoryAnswer
 * @typedef {Promise<Map<string, string>>} Names of devices, by their ids
 */

/**
 * @param {AccountPage} page
 * @param {{ asked: Promise<HistoryAnswer>, names: Names }} answers
 */
export function historyCard(page, { asked, names }) {
  return lateCard({
    id: 'activity',
    title: say('history.title'),
    intro: page.say('history.intro'),
    asked,
    load: () => page.api.call(CALLS.history),
    isWhole: isHistory,
    notLoaded: (reason) => say('history.notLoaded', { reason }),
    show: ({ events }) => ({ rows: shown(page, linesOf(events), names) }),
  });
}

/** @param {unknown} body */
export function isHistory(body) {
  return hasList(body, 'events', 'event');
}

/**
 * @param {AccountPage} page
 * @param {Line[]} lines
 * @param {Names} names
 */
function shown(page, lines, names) {
  if (lines.length === 0) return element('p', { class: 'plainrow muted' }, say('history.none'));
  /** @param {Line} line */
  const rowOf = (line) => row(page, line, names);
  const list = element('ul', { class: 'rows' }, lines.slice(0, FIRST).map(rowOf));
  const more = button(say('history.more'), showRest, { look: 'plain row' });
  return [list, lines.length > FIRST && element('p', { class: 'plainrow' }, more)];

  function showRest() {
    const rest = lines.slice(FIRST).map(rowOf);
    list.append(...rest);
    more.parentElement?.remove();
    rest[0]?.setAttribute('tabindex', '-1');
    rest[0]?.focus();
  }
}

/**
 * @param {AccountPage} page
 * @param {Line} line
 * @param {Names} names
 */
function row(page, line, names) {
  const place = line.address === null ? '' : ` · ${line.address}`;
  const device = element('span', {});
  // The list of devices may come later, or not at all; those that are gone have no name any more.
  void names.then((known) => {
    const name = known.get(line.device_id ?? '');
    device.textContent = name === undefined ? '' : ` · ${name}`;
  });
  return element(
    'li',
    {},
    tile(iconOf(line.event)),
    element(
      'div',
      { class: 'what' },
      element('b', {}, lineText(page, line)),
      element(
        'p',
        {},
        timed((date) => date, line.at),
        device,
        place,
      ),
    ),
  );
}

/** @param {string} event */
function iconOf(event) {
  if (/^(?:factor\.refused|throttle\.|login\.held_ended|policy\.)/.test(event)) return 'warning';
  return /^(?:login\.|appservice\.)/.test(event) ? 'good' : 'lock';
}

/**
 * @param {AccountPage} page
 * @param {Line} line
 */
function lineText(page, { event, count, detail, used }) {
  const name = nameOf(page, (used?.detail ?? detail).authenticator);
  switch (event) {
    case 'factor.refused':
      return say(detail.factor === PASSKEY ? 'history.passkeyRefused' : event, { count });
    case 'login.completed':
      return name === undefined ? say('history.completed') : say(event, { factor: name });
    case 'guard.passed':
      return detail.action === undefined ? say('history.passed') : say(event, { action: actionText(detail) });
    case 'login.held_ended':
      return page.say(event);
    default:
      return eventText(event, placesOf(detail, name)) ?? say('history.unknown', { event });
  }
}

/**
 * @param {Line['detail']} detail
 * @param {string | undefined} name of the authenticator
 * @returns {Record<string, string | number>}
 */
function placesOf({ remaining }, name) {
  return { ...(name !== undefined && { name }), ...(remaining !== undefined && { count: remaining }) };
}

/**
 * @type {Record<string, 'approve.changePassword' | 'approve.deactivate' | 'approve.addAddress' | 'approve.removeAddress'
 *   | 'approve.resetIdentity' | 'approve.loginToken'>}
 */
const ACTIONS = {
  change_password: 'approve.changePassword',
  deactivate_account: 'approve.deactivate',
  add_address: 'approve.addAddress',
  remove_address: 'approve.removeAddress',
  set_signing_keys: 'approve.resetIdentity',
  give_login_token: 'approve.loginToken',
};

/** What was approved. @param {Line['detail']} detail */
function actionText({ action = '', devices }) {
  if (action === 'remove_device') return say('approve.removeDevices', { count: 1 });
  if (action === 'remove_devices' && devices !== undefined)
    return say('approve.removeDevices', { count: devices });
  return say(ACTIONS[action] ?? 'approve.other');
}

/**
 * Those that are gone have no name any more.
 *
 * @param {AccountPage} page
 * @param {string} [id]
 */
function nameOf(page, id) {
  return page.state.authenticators.find((authenticator) => authenticator.id === id)?.name;
}
