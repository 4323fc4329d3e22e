import { seedText } from './new_seed.ts';
import type { TotpSettings } from './totp_settings.ts';

/**
 * The `otpauth:` link behind the QR code. Every parameter is written out: apps differ in their defaults. A
 * user id holds a colon, which would end the issuer in the label; so the label is escaped part by part.
 * @param account what the app shows below the issuer: the full user id
 */
export function otpauthUri(account: string, seed: Buffer, settings: TotpSettings): string {
  const issuer = encodeURIComponent(settings.issuer);
  const parameters = [
    `secret=${seedText(seed)}`,
    `issuer=${issuer}`,
    `algorithm=${settings.algorithm.toUpperCase()}`,
    `digits=${settings.digits}`,
    `period=${settings.period}`,
  ];
  return `otpauth://totp/${issuer}:${encodeURIComponent(account)}?${parameters.join('&')}`;
}
