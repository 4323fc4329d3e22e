import type { Json, JsonObject } from '../matrix/wire.ts';
import type { Decision, Effect, Write } from '../storage/statement.ts';
import type { Enrolled } from '../storage/tables/authenticators.ts';
import type { FactorDescription } from './description.ts';

/** Facts for the audit: which authenticator, which position. No secret. */
export type Detail = Readonly<Record<string, string | number>>;

/** A question to the client. */
export interface Challenge {
  /** `params` of the stage in the 401. */
  readonly params: JsonObject;
  readonly kept?: Effect;
}

/** What a factor made of a proof. */
export type FactorVerdict =
  /** The proof is right if `spend`, the one write that uses it up (R8), is won. */
  | {
      readonly is: 'match';
      readonly spend: Decision<unknown>;
      readonly detail: Detail;
      /** What goes on record in the place of `<kind>.used`. */
      readonly event?: 'emergency_code.used';
      /** What is written with it where it is won. */
      readonly also?: Write;
      /** What else goes on record where it is lost, and `note`, which keeps that, is won. */
      readonly suspicion?: { readonly note: Decision<unknown>; readonly deed: 'counter_back' };
    }
  /** One and the same to the client, whatever the reason (attack 87). */
  | { readonly is: 'no_match'; readonly why: 'wrong' | 'spent' | 'malformed' }
  /** It answers a question that is not open any more. Nothing is counted, and the client gets the next one. */
  | { readonly is: 'unasked' };

/** What a factor alone made of a proof. Whose it is, is known only where it is right. */
export type LoneVerdict =
  | (Extract<FactorVerdict, { readonly is: 'match' }> & {
      readonly userId: string;
      readonly authenticatorId: string;
    })
  | { readonly is: 'no_match' };

/** Signing in by a factor alone: its proof names the user, and stands for their password, too. */
export interface LoneFactor {
  /** How long a question stands. */
  readonly questionMs: number;
  /** What the pages give the browser with a question that no one can guess. */
  paramsFor(question: Buffer): JsonObject;
  /** Looks at the answer to a question that was open. Never throws on bad input. */
  verify(question: Buffer, proof: Json): Promise<LoneVerdict>;
}

/** Who tries a factor, and where from. */
export interface Attempt {
  /** Whose proof it must be. */
  readonly userId: string;
  /** The hash of the session's id: a challenge is good in one session. */
  readonly session: string;
  /** The network that it came from: what is costly is done once at a time for each. */
  readonly network: string;
}

/** A kind of second factor. A new one is a folder beside `totp/` and one line in `list.ts`. */
export interface Factor extends FactorDescription {
  /**
   * Whether this user can use the factor now.
   * @param enrolled what they have enrolled, which was looked up once for all factors
   */
  available(userId: string, enrolled: Enrolled): Promise<boolean>;
  /**
   * What the client is asked to answer in this session: the same until it is answered or too old. `kept` is what must be
   * written before the client hears of it. Factors whose proof does not depend on a question have none.
   * @param session the hash of the session's id
   */
  challenge?(userId: string, session: string): Promise<Challenge>;
  /**
   * Looks at a proof. Knows no throttle, session or audit: its caller counts the attempt and commits `spend`. Only a
   * challenge is used up here, right or wrong, by a write of its own. Never throws on bad input.
   * @throws Refusal limit_exceeded if there is no room for a costly look
   */
  verify(attempt: Attempt, proof: Json): Promise<FactorVerdict>;
  /** Set where the operator lets users sign in by this factor alone. */
  readonly alone?: LoneFactor;
  /** What the operator should hear of at the start of `serve`. */
  remark?(): Promise<string | undefined>;
  /** The factor's entry under `providers` in the state (`GET /account/two-factor`), or undefined if the user has none. */
  describe(userId: string): Promise<JsonObject | undefined>;
}
