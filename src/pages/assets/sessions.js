import { button, element } from './dom.js';
import { lateCard } from './late_card.js';
import { askProof } from './proof.js';
import { counted, fill, texts, timeText } from './texts.js';
import { CALLS } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./wire.js').Device} Device
 */

/**
 * @param {AccountPage} page
 */
export function sessionsCard(page) {
  return lateCard(texts.sessions, (rows) => fillIn(page, rows));
}

/**
 * @param {AccountPage} page
 * @param {HTMLElement} rows
 */
async function fillIn(page, rows) {
  const words = texts.sessions;
  const devices = await devicesOf(page);
  const others = othersOf(page, devices);
  rows.replaceChildren(
    element(
      'ul',
      { class: 'list' },
      devices.map((device) => row(page, device)),
    ),
    others.length > 1
      ? button(words.endOthers, () => void endOthers(page), { look: 'quiet' })
      : others.length === 0
        ? element('p', { class: 'muted' }, words.none)
        : '',
  );
}

/**
 * Signs all sessions but this one out, which ends those of a stolen phone.
 *
 * @param {AccountPage} page
 */
export async function endOthers(page) {
  const others = othersOf(page, await devicesOf(page));
  if (others.length === 0) {
    await page.overview(texts.sessions.none);
    return;
  }
  await end(page, others, texts.sessions.endOthers, counted(texts.sessions.endOthersText, others.length));
}

/**
 * The one seen last stands first.
 *
 * @param {AccountPage} page
 * @returns {Promise<Device[]>}
 */
async function devicesOf(page) {
  const answer = await page.api.call(CALLS.devices);
  const devices = answer.is === 'done' ? answer.body.devices : [];
  return devices.sort((left, right) => (right.last_seen_ts ?? 0) - (left.last_seen_ts ?? 0));
}

/**
 * @param {AccountPage} page
 * @param {Device[]} devices
 */
function othersOf(page, devices) {
  return devices.filter(({ device_id: id }) => id !== page.api.signedIn?.deviceId);
}

/**
 * @param {AccountPage} page
 * @param {Device} device
 */
function row(page, device) {
  const words = texts.sessions;
  const isHere = device.device_id === page.api.signedIn?.deviceId;
  const name = device.display_name || words.unnamed;
  const seen = [
    device.device_id,
    device.last_seen_ts ? fill(words.seen, { date: timeText(device.last_seen_ts) }) : '',
    device.last_seen_ip ? fill(words.from, { address: device.last_seen_ip }) : '',
  ].filter((part) => part !== '');
  return element(
    'li',
    {},
    element(
      'div',
      {},
      element('strong', {}, isHere ? `${name} (${words.here})` : name),
      element('div', { class: 'muted' }, seen.join(', ')),
    ),
    !isHere &&
      button(
        words.end,
        () => void end(page, [device], fill(words.endOf, { name }), fill(words.endText, { name })),
        {
          look: 'quiet',
          label: fill(words.endOf, { name }),
        },
      ),
  );
}

/**
 * @param {AccountPage} page
 * @param {Device[]} devices
 * @param {string} title
 * @param {string} text
 */
async function end(page, devices, title, text) {
  const ended = await askProof(page, {
    title,
    text,
    action: texts.sessions.end,
    danger: true,
    request: () => ({
      call: CALLS.endSessions,
      body: { devices: devices.map(({ device_id: id }) => id) },
    }),
  });
  if (ended !== undefined) await page.overview(counted(texts.sessions.ended, devices.length));
}
