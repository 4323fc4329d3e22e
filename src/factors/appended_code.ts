import { RECOVERY_STAGE, type SecondFactorStage, TOTP_STAGE } from '../matrix/wire.ts';

/** A password field that may hold a password and a code. */
export interface AppendedCode {
  /** What stands before the code. */
  readonly password: string;
  readonly code: string;
  readonly stage: SecondFactorStage;
}

const RECOVERY_TAIL = /^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/i;
const BARE_RECOVERY_TAIL = /^ [0-9a-z]{12}$/i;

/**
 * Reads a code off the end of a password field (DESIGN §4, second door): `digits` digits with or without a
 * space before them; a recovery code only with its dashes or after a space, as a passphrase may end in
 * twelve letters. Undefined if the end does not look like a code or nothing stands before it.
 */
export function splitAppendedCode(field: string, digits: number): AppendedCode | undefined {
  const split = splitRecovery(field, digits) ?? splitDigits(field, digits);
  return split !== undefined && split.password !== '' ? split : undefined;
}

function splitDigits(field: string, digits: number): AppendedCode | undefined {
  const code = field.slice(-digits);
  if (code.length !== digits || !/^[0-9]+$/.test(code)) return undefined;
  return { password: cutOneBlank(field.slice(0, -digits)), code, stage: TOTP_STAGE };
}

function splitRecovery(field: string, digits: number): AppendedCode | undefined {
  const dashed = field.slice(-14);
  if (RECOVERY_TAIL.test(dashed)) {
    return { password: cutOneBlank(field.slice(0, -14)), code: dashed, stage: RECOVERY_STAGE };
  }
  const bare = field.slice(-13);
  if (!BARE_RECOVERY_TAIL.test(bare) || isWordWithDigits(bare, digits)) return undefined;
  return { password: field.slice(0, -13), code: bare.slice(1), stage: RECOVERY_STAGE };
}

/**
 * A passphrase's last word with the digits of a code behind it ("correct horse staple123456") can be as long as
 * a recovery code. Of the recovery codes not one in ten thousand looks like that, and with dashes none.
 */
function isWordWithDigits(tail: string, digits: number): boolean {
  return /^[0-9]+$/.test(tail.slice(-digits)) && !/[0-9]/.test(tail.slice(0, -digits));
}

function cutOneBlank(text: string): string {
  return text.endsWith(' ') ? text.slice(0, -1) : text;
}
