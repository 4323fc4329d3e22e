import type { JsonObject } from '../matrix/wire.ts';
import type { Decision } from '../storage/statement.ts';
import type { FactorDescription } from './description.ts';

/** Facts for the audit: which authenticator, which position. No secret. */
export type Detail = Readonly<Record<string, string | number>>;

/** What a factor made of a code. It has written nothing yet. */
export type FactorVerdict =
  /** The code is right if `spend`, the one write that uses it up (R8), is won. */
  | { readonly is: 'match'; readonly spend: Decision<unknown>; readonly detail: Detail }
  /** One and the same to the client, whatever the reason (attack 87). */
  | { readonly is: 'no_match'; readonly why: 'wrong' | 'spent' | 'malformed' };

/** A code as it was sent. */
export interface SentCode {
  /** Whose code it must be. */
  readonly userId: string;
  readonly token: string;
  /** The network that it came from: what is costly is done once at a time for each. */
  readonly network: string;
}

/** A kind of second factor. A new one is a folder beside `totp/` and one line in `list.ts`. */
export interface Factor extends FactorDescription {
  /** Whether its codes are short enough to be guessed, so that each attempt must count in its lane. */
  readonly isGuessable: boolean;
  /** Whether this user can use the factor now. */
  available(userId: string): Promise<boolean>;
  /**
   * Looks at a code. Knows no throttle, session or audit: its caller counts the attempt and commits `spend`. Never
   * throws on bad input.
   * @throws Refusal limit_exceeded if there is no room for a costly look
   */
  verify(sent: SentCode): Promise<FactorVerdict>;
  /** The factor's entry under `providers` in the state (`GET /account/two-factor`), or undefined if the user has none. */
  describe(userId: string): Promise<JsonObject | undefined>;
}
