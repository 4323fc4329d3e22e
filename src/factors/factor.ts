import type { JsonObject, SecondFactorStage } from '../matrix/wire.ts';
import type { Decision } from '../storage/statement.ts';

/** What a factor made of a code. `refused` says nothing of why: wrong and spent codes look the same (attack 87). */
export type FactorVerdict =
  | {
      readonly accepted: true;
      /** For the audit: which authenticator, which position. No secret. */
      readonly detail: Readonly<Record<string, string | number>>;
    }
  | { readonly accepted: false };

/** Takes one attempt through the limits on wrong codes, and spends its code in the same unit of work. */
export interface AttemptGate {
  /**
   * Counts the attempt as failed, and takes that back if `code`, the decision that spends it, is won: what that
   * answers. Undefined: the code is spent, or it was none.
   * @throws Refusal totp_waits, totp_shut: then nothing is spent
   */
  spend<Row>(code: Decision<Row> | undefined): Promise<Row | undefined>;
}

/** A code as somebody sent it. */
export interface SentCode {
  /** Whose code it must be. */
  readonly userId: string;
  readonly token: string;
  /** The network that it came from: what is costly is done once at a time for each. */
  readonly network: string;
}

/** A kind of second factor. A new one is a folder beside `totp/` and one line in `factors.ts`. */
export interface Factor {
  readonly stage: SecondFactorStage;
  /** Whether its codes are short enough to be guessed, so that each attempt must count in its lane. */
  readonly isGuessable: boolean;
  /** Whether this user can use the factor now. */
  available(userId: string): Promise<boolean>;
  /** Whether `token` has the shape of a code of this factor. Says nothing of any user. */
  isWellFormed(token: string): boolean;
  /**
   * Judges and, if right, spends the code: at most one caller ever hears `accepted` for it. Never throws on bad
   * input. Takes the attempt through `gate` once: a guessable code always, any other if it may be right.
   * @throws Refusal if the gate does not admit the attempt
   */
  verify(sent: SentCode, gate: AttemptGate): Promise<FactorVerdict>;
  /** The factor's entry under `providers` in the state (DESIGN §5), or undefined if the user has none. */
  describe(userId: string): Promise<JsonObject | undefined>;
}
