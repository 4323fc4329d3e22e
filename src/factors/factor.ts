import type { JsonObject, SecondFactorStage } from '../matrix/wire.ts';
import type { StepToSpend, ThrottleCounter } from '../storage/stores.ts';

/** What a factor made of a code. `refused` says nothing of why: wrong and spent codes look the same (attack 87). */
export type FactorVerdict =
  | {
      readonly accepted: true;
      /** For the audit: which authenticator, which position. No secret. */
      readonly detail: Readonly<Record<string, string | number>>;
    }
  | { readonly accepted: false };

/** Counts an attempt as failed before it is looked at (DESIGN §5, Throttle). */
export interface AttemptGate {
  /** @throws Refusal limit_exceeded, totp_shut */
  admit(): Promise<void>;
  /**
   * The same for a code that stands for a time step, which is spent in the same write: whether it was.
   * @throws Refusal limit_exceeded, totp_shut: then nothing is spent
   */
  admitAndSpend(step: StepToSpend | undefined): Promise<boolean>;
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
  /** The throttle counter at login; under a valid token it is always `session`. */
  readonly loginCounter: ThrottleCounter;
  /** Whether this user can use the factor now. */
  available(userId: string): Promise<boolean>;
  /** Whether `token` has the shape of a code of this factor. Says nothing of any user. */
  isWellFormed(token: string): boolean;
  /**
   * Judges and, if right, spends the code: at most one caller ever hears `accepted` for it. Never throws on bad
   * input. Takes the attempt through `gate` exactly once, before anything that it finds is told or costs much.
   * @throws Refusal if the gate does not admit the attempt
   */
  verify(sent: SentCode, gate: AttemptGate): Promise<FactorVerdict>;
  /** The factor's entry under `providers` in the state (DESIGN §5), or undefined if the user has none. */
  describe(userId: string): Promise<JsonObject | undefined>;
}
