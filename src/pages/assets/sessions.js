import { askedDevice, deviceAskedToEnd } from './asked_action.js';
import { button, element, notice } from './dom.js';
import { deviceIcon, tile } from './icons.js';
import { hasList, lateCard } from './late_card.js';
import { askProof } from './proof.js';
import { reasonText, say, timed } from './texts.js';
import { CALLS } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./wire.js').Device} Device
 * @typedef {import('./api.js').ApiAnswer<{ devices: Device[] }>} DevicesAnswer
 */

/**
 * @param {AccountPage} page
 * @param {Promise<DevicesAnswer>} asked
 */
export function sessionsCard(page, asked) {
  return lateCard({
    id: 'devices',
    title: say('sessions.title'),
    intro: say('sessions.intro'),
    asked,
    load: () => page.api.call(CALLS.devices),
    isWhole: isDeviceList,
    notLoaded: (reason) => say('sessions.notLoaded', { reason }),
    show: ({ devices }) => shown(page, devices),
  });
}

/**
 * @param {AccountPage} page
 * @param {Device[]} devices
 */
function shown(page, devices) {
  const others = othersOf(page, devices);
  const here = devices.filter((device) => !others.includes(device));
  const list = element(
    'ul',
    { class: 'rows' },
    [...here, ...others].map((device) => row(page, device)),
  );
  const none = others.length === 0 && element('p', { class: 'plainrow muted' }, say('sessions.none'));
  if (others.length < 2) return { rows: [list, none] };
  const action = button(say('sessions.signOutOthers'), () => endOthers(page), { look: 'second row' });
  return { rows: [list], action };
}

/** Whether a 200 holds a list of devices. @param {unknown} body */
function isDeviceList(body) {
  return hasList(body, 'devices', 'device_id');
}

/**
 * What each device is called, by its id; nothing of what could not be loaded.
 *
 * @param {DevicesAnswer} answer
 * @returns {Map<string, string>}
 */
export function namesIn({ is, body }) {
  if (is !== 'done' || !isDeviceList(body)) return new Map();
  return new Map(
    body.devices.map(({ device_id: id, display_name: name }) => [id, name || say('sessions.unnamed')]),
  );
}

/**
 * Signs all devices but this page out, which ends those of a stolen phone. They are looked up, because one may have
 * signed in meanwhile.
 *
 * @param {AccountPage} page
 */
export async function endOthers(page) {
  const answer = await page.api.call(CALLS.devices);
  if (page.api.signedIn === undefined) return;
  if (answer.is !== 'done' || !isDeviceList(answer.body)) {
    await page.overview(say('sessions.notLoaded', { reason: reasonText(answer) }), 'warning');
    return;
  }
  const others = othersOf(page, answer.body.devices);
  if (others.length === 0) {
    await page.overview(say('sessions.none'));
    return;
  }
  const text = say('sessions.signOutOthersText', { count: others.length });
  // Asked for: the button that did is done.
  void end(page, others, say('sessions.signOutOthers'), text);
}

/**
 * Whether other devices are signed in, as far as is known: those that could not be loaded may be there.
 *
 * @param {AccountPage} page
 * @param {DevicesAnswer} answer
 */
export function mayHaveOthers(page, { is, body }) {
  return is !== 'done' || !isDeviceList(body) || othersOf(page, body.devices).length > 0;
}

/**
 * The one that an app asked for stands first, then the one seen last.
 *
 * @param {AccountPage} page
 * @param {Device[]} devices
 */
function othersOf(page, devices) {
  return devices
    .filter(({ device_id: id }) => id !== page.api.signedIn?.deviceId)
    .sort((left, right) => (right.last_seen_ts ?? 0) - (left.last_seen_ts ?? 0))
    .sort((left, right) => Number(isAsked(right)) - Number(isAsked(left)));
}

/**
 * @param {AccountPage} page
 * @param {Device} device
 */
function row(page, device) {
  const isHere = device.device_id === page.api.signedIn?.deviceId;
  const name = device.display_name || say('sessions.unnamed');
  const title = say('sessions.signOutOf', { name });
  const signOut = () => void endOne(page, device);
  return element(
    'li',
    {},
    tile(isHere ? 'browser' : deviceIcon(name)),
    element(
      'div',
      { class: 'what' },
      element('b', {}, name),
      isHere && element('span', { class: 'tag' }, say('sessions.here')),
      isAsked(device) && element('span', { class: 'tag' }, say('sessions.asked')),
      facts(device),
    ),
    !isHere &&
      element(
        'div',
        { class: 'actions' },
        button(say('sessions.signOut'), signOut, { look: 'second row', label: title }),
      ),
  );
}

/**
 * Asks about the device whose end an app asks for in the address of the page.
 *
 * @param {AccountPage} page
 */
export async function endAsked(page) {
  const asked = deviceAskedToEnd();
  if (asked === undefined || page.api.signedIn === undefined) return;
  const answer = await page.api.call(CALLS.devices);
  // The part of the devices says what was not loaded.
  if (page.api.signedIn === undefined || answer.is !== 'done' || !isDeviceList(answer.body)) return;
  const device = othersOf(page, answer.body.devices).find(isAsked);
  if (device !== undefined) return endOne(page, device);
  if (asked === page.api.signedIn.deviceId) return;
  const told = notice('warning', element('p', {}, say('sessions.askedGone')));
  told.setAttribute('role', 'status');
  page.root.prepend(told);
  told.focus();
}

/**
 * @param {AccountPage} page
 * @param {Device} device
 */
function endOne(page, device) {
  const name = device.display_name || say('sessions.unnamed');
  return end(page, [device], say('sessions.signOutOf', { name }), say('sessions.signOutText', { name }));
}

/** @param {Device} device */
function isAsked({ device_id: id }) {
  return id === askedDevice();
}

/** When a device was last seen; its id is for those who look for it. @param {Device} device */
function facts({ device_id: id, last_seen_ts: time, last_seen_ip: address }) {
  if (!time) return element('p', { class: 'mono' }, id);
  const seen = timed((date) => say('sessions.seen', { date, address: address ?? '' }), time);
  return element('details', {}, element('summary', {}, seen), element('p', { class: 'mono' }, id));
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
    action: say('sessions.signOut'),
    danger: true,
    stepUp: 'remembered',
    request: () => ({
      call: CALLS.endSessions,
      body: { devices: devices.map(({ device_id: id }) => id) },
    }),
  });
  if (ended !== undefined) await page.overview(say('sessions.done', { count: devices.length }));
}
