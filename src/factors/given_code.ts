import type { Json } from '../matrix/wire.ts';

declare const given: unique symbol;

/** A code as it was typed, without the blanks in it. Its factor says whether it is one. */
export type GivenCode = string & { readonly [given]: true };

/** Blanks of all kinds: apps show codes in groups, some with a no-break blank (U+00A0, U+202F) between them. */
const BLANKS = /\s/g;
/** What may stand between the groups of a code: blanks, and the dashes that phones make of a hyphen. */
export const SEPARATORS = /[\s\-\u2010-\u2015\u2212]/g;
/** What is not a text is wrong, whatever the factor. */
const NOT_A_TEXT = 'not a text' as GivenCode;

/**
 * Reads what came for a code. This alone decides whether one came, at every door: undefined if it is missing,
 * which is never judged nor counted, as some clients ask again every few seconds.
 */
export function readGivenCode(value: Json | undefined): GivenCode | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') return NOT_A_TEXT;
  if (value.replaceAll(SEPARATORS, '') === '') return undefined;
  return value.replaceAll(BLANKS, '') as GivenCode;
}

/** What stands before the last `length` characters of a password field, and the code in them. */
export function splitTail(
  field: string,
  length: number,
): { readonly password: string; readonly code: string } | undefined {
  const before = field.slice(0, -length);
  // A blank between the two belongs to neither.
  const password = /\s$/.test(before) ? before.slice(0, -1) : before;
  const code = readGivenCode(field.slice(-length));
  return password === '' || code === undefined ? undefined : { password, code };
}
