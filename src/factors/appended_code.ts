import { RECOVERY_STAGE, type SecondFactorStage, TOTP_STAGE } from '../matrix/wire.ts';
import { type GivenCode, readGivenCode } from './given_code.ts';

/** A password field that may hold a password and a code. */
export interface AppendedCode {
  /** What stands before the code. */
  readonly password: string;
  readonly code: GivenCode;
  readonly stage: SecondFactorStage;
}

const RECOVERY_TAIL = /^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/i;
const BARE_RECOVERY_TAIL = /^\s[0-9a-z]{12}$/i;

/**
 * Reads a code off the end of a password field (docs/clients.md, "Behind the password"): `digits` digits, in one
 * group or two, with or without a blank before them; a recovery code only with its dashes or after a blank, as a
 * passphrase may end in twelve letters. Undefined if the end does not look like a code or nothing stands before it.
 */
export function splitAppendedCode(field: string, digits: number): AppendedCode | undefined {
  return (
    splitRecovery(field, digits) ??
    splitDigits(field, digits, digits) ??
    splitDigits(field, digits, digits + 1)
  );
}

/** @param length of the tail: that of the code, or one more where a blank stands in its middle */
function splitDigits(field: string, digits: number, length: number): AppendedCode | undefined {
  const tail = field.slice(-length);
  if (tail.length !== length || !isCodeInGroups(tail, digits)) return undefined;
  return splitAt(field, length, TOTP_STAGE);
}

function isCodeInGroups(tail: string, digits: number): boolean {
  if (tail.length === digits) return /^[0-9]+$/.test(tail);
  const groups = tail.split(/\s/);
  const shortest = Math.floor(digits / 2);
  return groups.length === 2 && groups.every((group) => group.length >= shortest && /^[0-9]+$/.test(group));
}

function splitRecovery(field: string, digits: number): AppendedCode | undefined {
  if (RECOVERY_TAIL.test(field.slice(-14))) return splitAt(field, 14, RECOVERY_STAGE);
  const bare = field.slice(-13);
  if (!BARE_RECOVERY_TAIL.test(bare) || isWordWithDigits(bare, digits)) return undefined;
  return splitAt(field, 12, RECOVERY_STAGE);
}

function splitAt(field: string, length: number, stage: SecondFactorStage): AppendedCode | undefined {
  const password = cutOneBlank(field.slice(0, -length));
  const code = readGivenCode(field.slice(-length));
  return password === '' || code === undefined ? undefined : { password, code, stage };
}

/**
 * A passphrase's last word with the digits of a code behind it ("correct horse staple123456") can be as long as
 * a recovery code. Of the recovery codes not one in ten thousand looks like that, and with dashes none.
 */
function isWordWithDigits(tail: string, digits: number): boolean {
  return /^[0-9]+$/.test(tail.slice(-digits)) && !/[0-9]/.test(tail.slice(0, -digits));
}

function cutOneBlank(text: string): string {
  return /\s$/.test(text) ? text.slice(0, -1) : text;
}
