import type { Factor } from '../factors/factor.ts';
import type { Refusal } from '../matrix/refusals.ts';
import type { AskedFactor } from '../second_factor/challenges.ts';
import type { SentCode } from '../second_factor/presented.ts';

/** What a person typed into the first form of the sign-in page, and where they want to go. */
export interface PageCredentials {
  /** A user name, a full user id or an e-mail address. */
  readonly name: string;
  readonly password: string;
  /** The mark by which the browser is known again, or will be if a code behind the password is right. */
  readonly browser: string;
  /** Judged before: it is one that a browser may be sent to. */
  readonly redirectUrl: string;
  /** Whether a code may stand behind the password; it may where this is left out. */
  readonly readings?: PasswordReadings | undefined;
}

/** How a password field may be read: with a code at its end, or only as it was sent. */
export type PasswordReadings = 'both' | 'as_sent';

/** A set-up during a sign-in: it comes next, or is offered to a person in their grace. */
export type PageSetUp = { readonly is: 'wanted' } | { readonly is: 'offered'; readonly deadlineTs: number };

/** Where a person on the sign-in page stands. Their password, or provider, was right. */
export interface PageStanding {
  /** Names this sign-in in the next form. Never log it (R11). */
  readonly id: string;
  readonly userId: string;
  /** The version of the account: another one later means that factors or password were changed. */
  readonly version: number;
  /** When the sign-in ends by itself, in ms since the epoch. */
  readonly endsAt: number;
  readonly redirectUrl: string;
  /** The identity provider of the homeserver that they came by; undefined after a password. */
  readonly provider: string | undefined;
  readonly codeWanted: boolean;
  /** Set where a factor is to be set up before the sign-in goes on, or may be. */
  readonly setUp: PageSetUp | undefined;
  /** The factors that are taken now, and the questions of those that ask one. */
  readonly factors: readonly Factor[];
  readonly asked: readonly AskedFactor[];
  /** Set after a recovery code: how many are left. */
  readonly recoveryCodesLeft: number | undefined;
  /** Whether the password is all that protects the account, and its owner may change that. */
  readonly mayTurnOn: boolean;
}

/** What came of name and password. */
export interface PageBegun {
  readonly standing: PageStanding;
  /**
   * What came of a code that stood behind the password; undefined if there was none. A refusal: it was not judged.
   */
  readonly appended: 'accepted' | 'refused' | Refusal | undefined;
}

/** A code as a person typed it, and where. */
export interface PageCode extends SentCode {
  /** The mark by which the browser is known again, or will be if the code is right. */
  readonly browser: string;
}

/** What became of a code. */
export interface PageCodeOutcome {
  /** `missing`: there was no code, so nothing was judged. */
  readonly kind: 'accepted' | 'refused' | 'missing';
  readonly standing: PageStanding;
}

/** The last code that the sign-in could take was wrong. */
export interface PageCodesUsedUp {
  readonly kind: 'used_up';
  /** How long the account takes no further code, in ms; 0 if it takes one. */
  readonly waitMs: number;
}

/** A person whom the homeserver's own single sign-on sent back to us. */
export interface ProviderReturn {
  /** A login token of the homeserver, for one use. */
  readonly loginToken: string;
  /** The id of its identity provider. */
  readonly provider: string;
  readonly redirectUrl: string;
}

/** The way on. */
export type PageTicket =
  | { readonly kind: 'client'; readonly redirectUrl: string; readonly loginToken: string }
  /** Once more through the homeserver's single sign-on, for a login token that the client can use. */
  | { readonly kind: 'provider'; readonly provider: string }
  /** There is none: the factors or the password were changed meanwhile. */
  | { readonly kind: 'changed' };

/** Whose sign-in has ended, and under which version of the account it was. */
export type EndedSignIn = Pick<PageStanding, 'userId' | 'version'>;
