/**
 * What the scripts say to the server: the names of stages, and the requests of the public API with the types of their
 * answers. A test compares both with the server's own (`test/pages/wire.test.ts`).
 *
 * @import * as answers from './answers.d.ts'
 */

export const APP_STAGE = 'm.login.2fa.totp';
export const PASSKEY_STAGE = 'm.login.2fa.webauthn';
export const RECOVERY_STAGE = 'm.login.2fa.recovery';
export const PASSWORD_STAGE = 'm.login.password';

/** The kinds of authenticators that this page sets up. */
export const APP = 'totp';
export const PASSKEY = 'webauthn';

/** The word for a kind of factor, as it stands in paths. @param {string} stage */
export function kindOf(stage) {
  return stage.split('.').at(-1) ?? stage;
}

/** The session of this page, beside the public API (spec/account_page.md). */
export const PAGE_SESSION = '/_2fa/account/session';

/** Paths stand below it. */
export const ROOT = '/_matrix/client/';

/** The page on which a session is approved. @param {string} session */
export function approvalPage(session) {
  return `${ROOT}v3/auth/m.login.sso/fallback/web?session=${encodeURIComponent(session)}`;
}

/**
 * A request without its body.
 *
 * @template Body what a 200 holds
 * @typedef {{ readonly method: string, readonly path: string, readonly answer?: Body }} Call
 */

const TWO_FACTOR = 'v3/account/two-factor';
const OF_APP = `${TWO_FACTOR}/${APP}`;
const PASSKEYS = `${TWO_FACTOR}/${PASSKEY}`;
const RECOVERY = `${TWO_FACTOR}/recovery`;
const RECOVERY_CONTACTS = 'unstable/org.matrix.2fa/recovery_contacts';
const RECOVERY_VOTE = 'unstable/org.matrix.2fa/recovery_vote';
const DEVICE_PASSWORDS = 'unstable/org.matrix.2fa/device_passwords';

/** The homeserver's own (client-server API, "Device management"): we have no schema for it.
 * @typedef {{ device_id: string, display_name?: string | null, last_seen_ts?: number | null, last_seen_ip?: string | null }} Device
 */

export const CALLS = {
  /** @type {Call<answers.TwoFactorState>} */
  state: { method: 'GET', path: TWO_FACTOR },
  /** @type {Call<answers.EmptyAnswer>} */
  turnOff: { method: 'DELETE', path: TWO_FACTOR },
  /** @type {Call<answers.TotpSetupAnswer>} */
  setUpApp: { method: 'POST', path: OF_APP },
  /** @type {Call<answers.TotpConfirmAnswer>} */
  confirmApp: { method: 'POST', path: `${OF_APP}/confirm` },
  /** @type {Call<answers.WebauthnSetupAnswer>} */
  setUpPasskey: { method: 'POST', path: PASSKEYS },
  /** @type {Call<answers.TotpConfirmAnswer>} */
  confirmPasskey: { method: 'POST', path: `${PASSKEYS}/confirm` },
  /** @type {Call<answers.RecoveryCodesAnswer>} */
  renewCodes: { method: 'POST', path: RECOVERY },
  /** @type {Call<answers.EmptyAnswer>} */
  removeCodes: { method: 'DELETE', path: RECOVERY },
  /** @type {Call<answers.DevicePasswordsAnswer>} */
  devicePasswords: { method: 'GET', path: DEVICE_PASSWORDS },
  /** @type {Call<answers.DevicePasswordAnswer>} */
  makeDevicePassword: { method: 'POST', path: DEVICE_PASSWORDS },
  /** @type {Call<answers.RecoveryContactsAnswer>} */
  recoveryContacts: { method: 'GET', path: RECOVERY_CONTACTS },
  /** @type {Call<answers.RecoveryContactsAnswer>} */
  changeContacts: { method: 'PUT', path: RECOVERY_CONTACTS },
  /** @type {Call<answers.EmptyAnswer>} */
  removeContacts: { method: 'DELETE', path: RECOVERY_CONTACTS },
  /** @type {Call<answers.RecoveryVoteAnswer>} */
  askedVote: { method: 'POST', path: RECOVERY_VOTE },
  /** @type {Call<answers.RecoveryVoteAnswer>} */
  castVote: { method: 'PUT', path: RECOVERY_VOTE },
  /** @type {Call<answers.HistoryAnswer>} */
  history: { method: 'GET', path: 'unstable/org.matrix.2fa/history' },
  /** @type {Call<{ devices: Device[] }>} */
  devices: { method: 'GET', path: 'v3/devices' },
  /** @type {Call<answers.EmptyAnswer>} */
  changePassword: { method: 'POST', path: 'v3/account/password' },
  /** @type {Call<answers.EmptyAnswer>} */
  deactivate: { method: 'POST', path: 'v3/account/deactivate' },
  /** @type {Call<answers.EmptyAnswer>} */
  endSessions: { method: 'POST', path: 'v3/delete_devices' },
};

/**
 * @param {string} id
 * @returns {Call<answers.EmptyAnswer>}
 */
export function renameAuthenticator(id) {
  return { method: 'PUT', path: `unstable/org.matrix.2fa/authenticators/${encodeURIComponent(id)}` };
}

/**
 * Removes authenticators of one kind.
 *
 * @param {string} kind
 * @returns {Call<answers.EmptyAnswer>}
 */
export function removeAuthenticator(kind) {
  return { method: 'DELETE', path: `${TWO_FACTOR}/${encodeURIComponent(kind)}` };
}

/**
 * @param {'PUT' | 'DELETE'} method
 * @param {string} id
 * @returns {Call<answers.EmptyAnswer>}
 */
export function changeDevicePassword(method, id) {
  return { method, path: `${DEVICE_PASSWORDS}/${encodeURIComponent(id)}` };
}
