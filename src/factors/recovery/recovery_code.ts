import type { RandomSource } from '../../system/random.ts';
import { SEPARATORS } from '../given_code.ts';

/** Crockford's base32: no I, L, O, U, so that nothing looks like something else. Written in lower case. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 12 characters of 5 bits: 60 bits a code. */
const LENGTH = 12;
const GROUP = /.{4}(?=.)/g;
/** Nothing longer is looked at: a code with its separators is far below (attack 90). */
const LONGEST_INPUT = 64;

/** A new code in its canonical form: 12 characters, no separators. */
export function newRecoveryCode(random: RandomSource): string {
  return newCode(random, LENGTH);
}

/** A new code of so many characters, in its canonical form. */
export function newCode(random: RandomSource, length: number): string {
  return Array.from(random.bytes(length), (byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('');
}

/** A canonical code as it is shown: in groups of four, such as `xxxx-xxxx-xxxx`. */
export function showRecoveryCode(code: string): string {
  return code.replace(GROUP, '$&-');
}

/**
 * The canonical form of a code as it was typed: any case, any separators, look-alikes read as what they
 * look like (Crockford: I and L are 1, O is 0). Undefined if it is not a recovery code.
 */
export function readRecoveryCode(input: unknown): string | undefined {
  return typeof input === 'string' ? readCode(input, LENGTH) : undefined;
}

/** The same of a code of so many characters. */
export function readCode(input: string, length: number): string | undefined {
  if (input.length > LONGEST_INPUT) return undefined;
  const typed = input.replace(SEPARATORS, '');
  if (typed.length !== length || !/^[0-9a-z]*$/i.test(typed)) return undefined;
  const code = typed.toLowerCase().replace(/[il]/g, '1').replaceAll('o', '0');
  return code.includes('u') ? undefined : code;
}
