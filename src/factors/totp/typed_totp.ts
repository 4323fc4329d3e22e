import type { TypedProof } from '../description.ts';
import { readGivenCode, splitTail } from '../given_code.ts';

/** How one-time codes of `digits` digits are told from other input. */
export function typedTotp(digits: number): TypedProof {
  return {
    read: readTotp,
    tail: (field) => digitsAtEnd(field, digits, digits) ?? digitsAtEnd(field, digits, digits + 1),
  };
}

/** A recovery code may have no letter in it, but it has 12 characters; no authenticator shows so many. */
function readTotp(typed: string): string | undefined {
  const token = readGivenCode(typed.replaceAll('-', ''));
  return token !== undefined && /^[0-9]{1,10}$/.test(token) ? token : undefined;
}

/** @param length of the tail: that of the code, or one more where a blank stands in its middle */
function digitsAtEnd(field: string, digits: number, length: number) {
  const tail = field.slice(-length);
  return tail.length === length && isCodeInGroups(tail, digits) ? splitTail(field, length) : undefined;
}

function isCodeInGroups(tail: string, digits: number): boolean {
  if (tail.length === digits) return /^[0-9]+$/.test(tail);
  const groups = tail.split(/\s/);
  const shortest = Math.floor(digits / 2);
  return groups.length === 2 && groups.every((group) => group.length >= shortest && /^[0-9]+$/.test(group));
}
