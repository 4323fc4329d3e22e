import { element, notice } from './dom.js';
import { say } from './texts.js';

/** Which part of the page an app asks for (client-server API, "Account management URL discovery"). @type {Record<string, string>} */
const PARTS = {
  'org.matrix.devices_list': 'devices',
  'org.matrix.sessions_list': 'devices',
  'org.matrix.device_view': 'devices',
  'org.matrix.session_view': 'devices',
  'org.matrix.device_delete': 'devices',
  'org.matrix.session_end': 'devices',
  'org.matrix.account_deactivate': 'account-end',
};
const DELETIONS = ['org.matrix.device_delete', 'org.matrix.session_end'];
const RESET = 'org.matrix.cross_signing_reset';

/** The device that an app asks for; its row stands first. An address opens a part of the page, and never does anything by itself. */
export function askedDevice() {
  return asked().get('device_id') || undefined;
}

/** The one whose end the app asks for: that is put to its owner, who may say no. */
export function deviceAskedToEnd() {
  return DELETIONS.includes(asked().get('action') ?? '') ? askedDevice() : undefined;
}

/**
 * Leads to what an app asked for in the address of the page.
 *
 * @param {import('./page.js').AccountPage} page
 */
export function openAsked(page) {
  if (page.api.signedIn === undefined) return;
  const action = asked().get('action') ?? '';
  if (action === RESET) {
    const told = notice('warning', element('p', {}, say('actions.crossSigning')));
    told.setAttribute('role', 'status');
    page.root.prepend(told);
    return told.focus();
  }
  const heading = page.root.querySelector(`#${PARTS[action] ?? 'none'} h2`);
  if (!(heading instanceof HTMLElement)) return;
  heading.setAttribute('tabindex', '-1');
  heading.scrollIntoView();
  heading.focus();
}

function asked() {
  return new URLSearchParams(location.search);
}
