import { randomBytes } from 'node:crypto';

/** Randomness, passed in so that tests can say what comes. */
export interface RandomSource {
  /** `count` unpredictable bytes. */
  bytes(count: number): Buffer;
}

export const systemRandom: RandomSource = { bytes: (count) => randomBytes(count) };

/** An unguessable identifier: `bits` of randomness (a multiple of 8) in base64url. */
export function randomId(random: RandomSource, bits = 160): string {
  return random.bytes(bits / 8).toString('base64url');
}

/** Whether it is written as such an identifier: in the store nothing else is looked for. */
export function isWrittenAsId(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(text);
}
