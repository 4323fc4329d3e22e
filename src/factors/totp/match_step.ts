import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import { verifySync } from 'otplib';
import type { TotpSettings } from './totp_settings.ts';

const crypto = new NodeCryptoPlugin();

/** Whether `token` is written like a code: ASCII digits only, exactly as many as are set (attack 58). */
export function isTotpToken(token: unknown, digits: number): token is string {
  return typeof token === 'string' && token.length === digits && /^[0-9]+$/.test(token);
}

/**
 * The time step (RFC 6238 section 4.2) within the window for which `seed` yields `token`; undefined if there
 * is not one. Whether the step was spent before is not looked at here.
 * @param now ms since the epoch
 */
export function matchStep(
  seed: Buffer,
  token: string,
  now: number,
  settings: TotpSettings,
): number | undefined {
  // otplib throws on a malformed token; to us that is just no match.
  if (!isTotpToken(token, settings.digits)) return undefined;
  const verdict = verifySync({
    secret: seed,
    token,
    crypto,
    epoch: Math.floor(now / 1000),
    epochTolerance: settings.window * settings.period,
    algorithm: settings.algorithm,
    digits: settings.digits,
    period: settings.period,
  });
  return verdict.valid && 'timeStep' in verdict ? verdict.timeStep : undefined;
}
