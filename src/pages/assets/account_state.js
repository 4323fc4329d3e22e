import { RECOVERY_STAGE, TOTP_STAGE } from './wire.js';

/**
 * What the server says of this account (`GET /account/two-factor`).
 *
 * @import { RecoveryState, TwoFactorState } from './answers.d.ts'
 *
 * @typedef {NonNullable<TwoFactorState['providers'][typeof TOTP_STAGE]>['authenticators'][number]} Authenticator
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
  const authenticators = providers[TOTP_STAGE]?.authenticators ?? [];
  const codes = providers[RECOVERY_STAGE];
  if (!authenticators.every((each) => typeof each?.id === 'string')) return undefined;
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
  const totp = /** @type {TwoFactorState['providers']} */ (providers)[TOTP_STAGE];
  return totp === undefined || Array.isArray(totp?.authenticators);
}

/**
 * @param {State} state
 * @returns {Standing}
 */
export function standingOf({ enabled, authenticators, codes }) {
  if (!enabled) return 'off';
  return authenticators.length < 2 && (codes?.remaining ?? 0) === 0 ? 'weak' : 'on';
}
