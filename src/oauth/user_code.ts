import type { RandomSource } from '../system/random.ts';

/** No vowels, so that no words come about, and no `Y` (RFC 8628, section 6.1). */
const LETTERS = 'BCDFGHJKLMNPQRSTVWXZ';
const LENGTH = 8;
/** The largest multiple of twenty that a byte holds: above it the first letters would be likelier. */
const FAIR = 240;

/** A code that people type: `XXXX-XXXX`, 34 bit. */
export function newUserCode(random: RandomSource): string {
  let code = '';
  while (code.length < LENGTH) {
    const [byte = FAIR] = random.bytes(1);
    if (byte < FAIR) code += LETTERS.charAt(byte % LETTERS.length);
  }
  return `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`;
}

/** The code that someone typed, as it was given out: case, blanks and dashes mean nothing. Undefined if it is not one. */
export function readUserCode(typed: string): string | undefined {
  // Only so much: what is longer is not a code, however many separators it has.
  const letters = typed
    .slice(0, 64)
    .toUpperCase()
    .replace(/[\s\p{Pd}.,_]/gu, '');
  if (letters.length !== LENGTH || [...letters].some((letter) => !LETTERS.includes(letter))) return undefined;
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`;
}
