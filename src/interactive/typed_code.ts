import { RECOVERY_STAGE, type SecondFactorStage, TOTP_STAGE } from '../matrix/wire.ts';

/** A code as somebody typed it into a page. */
export interface TypedCode {
  readonly stage: SecondFactorStage;
  /** Without the blanks that people and apps put between digits. */
  readonly token: string;
}

/** Which kind of code `typed` is, by its looks: one field takes both. */
export function readTypedCode(typed: string): TypedCode {
  const token = typed.replaceAll(/\s/g, '');
  const digits = token.replaceAll('-', '');
  // A recovery code may have no letter in it, but it has 12 characters; no authenticator shows so many.
  if (/^[0-9]{1,10}$/.test(digits)) return { stage: TOTP_STAGE, token: digits };
  return { stage: RECOVERY_STAGE, token };
}
