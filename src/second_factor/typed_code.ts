import { type GivenCode, readGivenCode } from '../factors/given_code.ts';
import { RECOVERY_STAGE, type SecondFactorStage, TOTP_STAGE } from '../matrix/wire.ts';

/** A code as somebody typed it into a page. */
export interface TypedCode {
  readonly stage: SecondFactorStage;
  readonly token: GivenCode;
}

/** Which kind of code `typed` is, by its looks: one field takes both. Undefined if it is missing. */
export function readTypedCode(typed: string): TypedCode | undefined {
  const token = readGivenCode(typed);
  if (token === undefined) return undefined;
  const digits = readGivenCode(token.replaceAll('-', ''));
  // A recovery code may have no letter in it, but it has 12 characters; no authenticator shows so many.
  if (digits !== undefined && /^[0-9]{1,10}$/.test(digits)) return { stage: TOTP_STAGE, token: digits };
  return { stage: RECOVERY_STAGE, token };
}
