import { ScureBase32Plugin } from 'otplib';
import type { RandomSource } from '../../system/random.ts';
import type { TotpSettings } from './totp_settings.ts';

/** 160 bits, as RFC 4226 section 4 (R6) recommends. */
const SEED_BYTES = 20;
const base32 = new ScureBase32Plugin();

/** A new seed for an authenticator. */
export function newSeed(random: RandomSource): Buffer {
  return random.bytes(SEED_BYTES);
}

/** The seed as people type it into an app: base32 without padding (RFC 4648). */
export function seedText(seed: Buffer): string {
  return base32.encode(seed);
}

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
