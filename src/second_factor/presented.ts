import type { Factor } from '../factors/factor.ts';
import type { AppendedCode, Factors, TypedCode } from '../factors/factors.ts';
import { type GivenCode, readGivenCode } from '../factors/given_code.ts';
import type { SecondFactorStage } from '../matrix/wire.ts';
import type { PresentedAuth } from '../uia/presented_auth.ts';

/** What a request brings for a second factor. */
export interface Presented {
  readonly factor: Factor;
  /** Undefined if it is missing: then nothing is judged or counted. */
  readonly code: GivenCode | undefined;
  /** The stage that it completes if it is not the factor's own: that of the fallback page which was opened. */
  readonly completes?: SecondFactorStage;
}

/** A code that came. */
export interface PresentedCode extends Presented {
  readonly code: GivenCode;
}

/**
 * Reads codes out of what clients send and people type. Where no code is found there was none, at every door: it
 * counts nowhere, as some clients ask again every few seconds.
 */
export class PresentedCodes {
  constructor(private readonly factors: Factors) {}

  /** What `auth` brings. Undefined if its stage is not one of ours. */
  inAuth({ type, fields }: PresentedAuth): Presented | undefined {
    const factor = type === undefined ? undefined : this.factors.ofStage(type);
    return factor && { factor, code: readGivenCode(fields[factor.proofField]) };
  }

  /** The code that was typed into a field for all kinds. Undefined if the field has none in it. */
  inField(typed: string): TypedCode | undefined {
    return this.factors.readTyped(typed);
  }

  /** The code at the end of a password field, with what stands before it. Undefined if the end looks like none. */
  inPassword(field: string): AppendedCode | undefined {
    return this.factors.readAppended(field);
  }
}
