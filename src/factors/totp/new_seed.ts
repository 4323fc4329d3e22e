import { ScureBase32Plugin } from 'otplib';
import type { RandomSource } from '../../system/random.ts';

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
