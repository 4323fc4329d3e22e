import type { TypedProof } from '../description.ts';
import { readGivenCode, splitTail } from '../given_code.ts';

const WITH_DASHES = /^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/i;
const BEHIND_BLANK = /^\s[0-9a-z]{12}$/i;

/**
 * How recovery codes are told from other input. What is typed into a field for codes and is not one of another factor
 * is taken for one: a typing mistake is refused as a wrong code.
 * @param digits of the one-time codes that may stand at the same place
 */
export function typedRecovery(digits: number): TypedProof {
  return { read: readGivenCode, tail: (field) => recoveryAtEnd(field, digits) };
}

/** Only with its dashes or after a blank, as a passphrase may end in twelve letters. */
function recoveryAtEnd(field: string, digits: number) {
  if (WITH_DASHES.test(field.slice(-14))) return splitTail(field, 14);
  const bare = field.slice(-13);
  return BEHIND_BLANK.test(bare) && !isWordWithDigits(bare, digits) ? splitTail(field, 12) : undefined;
}

/**
 * A passphrase's last word with the digits of a code behind it ("correct horse staple123456") can be as long as
 * a recovery code. Of the recovery codes not one in ten thousand looks like that, and with dashes none.
 */
function isWordWithDigits(tail: string, digits: number): boolean {
  return /^[0-9]+$/.test(tail.slice(-digits)) && !/[0-9]/.test(tail.slice(0, -digits));
}
