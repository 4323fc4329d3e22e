import type { Factor } from '../factors/factor.ts';
import type { AppendedCode, Factors } from '../factors/factors.ts';
import { readGivenCode } from '../factors/given_code.ts';
import type { Flow, Json, SecondFactorStage } from '../matrix/wire.ts';
import type { PresentedAuth } from '../uia/presented_auth.ts';
import { nextStages, type Session } from '../uia/session.ts';

/** What a request brings for a second factor. */
export interface Presented {
  readonly factor: Factor;
  /** Undefined if it is missing: then nothing is judged or counted. */
  readonly proof: Json | undefined;
  /** The stage that it completes if it is not the factor's own: that of the fallback page which was opened. */
  readonly completes?: SecondFactorStage;
}

/** What a form brings, in which of its fields. */
export interface SentCode {
  /** That of a factor, or one that holds codes of all kinds. */
  readonly field: string;
  readonly typed: string;
}

/** A proof that came. */
export interface PresentedProof extends Presented {
  readonly proof: Json;
}

/**
 * Reads codes out of what clients send and people type, alike at every door. Where no code is found nothing is counted,
 * because some clients ask again every few seconds.
 */
export class PresentedCodes {
  constructor(private readonly factors: Factors) {}

  /**
   * What `auth` brings. Undefined if none of our factors has its stage.
   * @throws Refusal bad_json if a proof does not have the shape that its factor says: nothing is judged or counted
   */
  inAuth({ type, fields }: PresentedAuth): Presented | undefined {
    const factor = type === undefined ? undefined : this.factors.ofStage(type);
    if (factor === undefined) return undefined;
    const proof = fields[factor.proofField];
    if (factor.typed !== undefined) return { factor, proof: readGivenCode(proof) };
    if (proof === undefined || proof === null) return { factor, proof: undefined };
    this.factors.requireShape(factor, fields);
    return { factor, proof };
  }

  /** Whether a primary factor of these flows has codes that people type. */
  isTypedIn(flows: readonly Flow[]): boolean {
    const isTyped = (stage: string) => {
      const factor = this.factors.ofStage(stage);
      return factor?.role === 'primary' && factor.typed !== undefined;
    };
    return flows.some((flow) => flow.some(isTyped));
  }

  /** What was sent in a field of a page, in a session. Undefined if the field has nothing in it. */
  inField({ field, typed }: SentCode, { flows, completed }: Session): Presented | undefined {
    const factor = this.factors.ofField(field);
    if (factor?.page === undefined) return this.factors.readTyped(typed, nextStages(flows, completed));
    return { factor, proof: factor.page.read(typed) };
  }

  /** The code at the end of a password field, with what stands before it. Undefined if the end looks like none. */
  inPassword(field: string): AppendedCode | undefined {
    return this.factors.readAppended(field);
  }
}
