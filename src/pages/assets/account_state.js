import { APP_STAGE, kindOf, PASSKEY_STAGE, RECOVERY_STAGE } from './wire.js';

/**
 * What the server says of this account (`GET /account/two-factor`).
 *
 * @import { RecoveryState, TwoFactorState } from './answers.d.ts'
 *
 * @typedef {object} Authenticator
 * @property {string} kind
 * @property {string} id
 * @property {string} name
 * @property {number} enabled_at
 * @property {number | null} last_used_at
 * @property {boolean} [usable] of passkeys, as the next two
 * @property {boolean} [backed_up]
 * @property {number | null} [counter_alert_at]
 * @typedef {{ enabled: boolean, authenticators: Authenticator[], codes: RecoveryState | undefined }} State
 * @typedef {'on' | 'weak' | 'off' | 'unknown'} Standing `weak`: one authenticator, and no recovery code
 */

/**
 * The state that a 200 holds; undefined where it is not whole, so that no state is made of nothing.
 *
 * @param {unknown} body
 * @returns {State | undefined}
 */
export function stateIn(body) {
  if (!isState(body)) return undefined;
  const { enabled, providers } = body;
  const authenticators = Object.entries(providers).flatMap(([stage, entry]) =>
    authenticatorsIn(stage, entry),
  );
  const codes = providers[RECOVERY_STAGE];
  if (!authenticators.every((each) => typeof each.id === 'string')) return undefined;
  if (codes !== undefined && (typeof codes?.remaining !== 'number' || !Array.isArray(codes.codes)))
    return undefined;
  return { enabled, authenticators, codes };
}

/**
 * @param {unknown} body
 * @returns {body is TwoFactorState}
 */
function isState(body) {
  if (typeof body !== 'object' || body === null || !('enabled' in body) || !('providers' in body))
    return false;
  const { enabled, providers } = body;
  if (typeof enabled !== 'boolean' || typeof providers !== 'object' || providers === null) return false;
  const known = /** @type {TwoFactorState['providers']} */ (providers);
  return [known[APP_STAGE], known[PASSKEY_STAGE]].every(
    (entry) => entry === undefined || Array.isArray(entry?.authenticators),
  );
}

/**
 * Those of one kind. Factors that this page does not know may have none.
 *
 * @param {string} stage
 * @param {unknown} entry
 * @returns {Authenticator[]}
 */
function authenticatorsIn(stage, entry) {
  if (typeof entry !== 'object' || entry === null || !('authenticators' in entry)) return [];
  const { authenticators } = entry;
  return Array.isArray(authenticators)
    ? authenticators.map((each) => ({ ...each, kind: kindOf(stage) }))
    : [];
}

/**
 * @param {State} state
 * @returns {Standing}
 */
export function standingOf({ enabled, authenticators, codes }) {
  if (!enabled) return 'off';
  return authenticators.length < 2 && (codes?.remaining ?? 0) === 0 ? 'weak' : 'on';
}
