import { ScureBase32Plugin } from 'otplib';

/** The bytes of a base32 text. */
export function decodeBase32(text: string): Buffer {
  return Buffer.from(new ScureBase32Plugin().decode(text));
}
