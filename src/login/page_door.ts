import type { Factor } from '../factors/factor.ts';
import type { ClientRequest } from '../http/client_request.ts';
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
  /** Of the homeserver, for one use. */
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

/** The door behind the sign-in page. Undefined everywhere: that sign-in has ended, and begins again. */
export interface PageDoor {
  /** @throws Refusal login_refused, limit_exceeded, homeserver_unreachable, homeserver_slow, homeserver_unclear */
  begin(request: ClientRequest, credentials: PageCredentials): Promise<PageBegun>;
  /**
   * Learns from the homeserver whose login token it is; that login is held and never handed out.
   * @throws Refusal login_refused, homeserver_unreachable, homeserver_slow, homeserver_unclear
   */
  beginWithToken(request: ClientRequest, returned: ProviderReturn): Promise<PageStanding>;
  find(id: string): Promise<PageStanding | undefined>;
  /** The same sign-in with the set-up that was offered in it, which then comes next. */
  withSetUp(request: ClientRequest, id: string): Promise<PageStanding | undefined>;
  /** @throws Refusal limit_exceeded, codes_wait, codes_shut */
  submitCode(
    request: ClientRequest,
    id: string,
    code: PageCode,
  ): Promise<PageCodeOutcome | PageCodesUsedUp | undefined>;
  /**
   * Signs out the other devices of its user, by the password of this sign-in. False where the homeserver did not say that
   * they are gone.
   */
  endOtherDevices(request: ClientRequest, id: string): Promise<boolean>;
  /** Ends a sign-in that its user does not want: its held login is logged out. */
  cancel(id: string): Promise<void>;
  /** Whether factors or password of the user were changed since. */
  isChanged(ended: EndedSignIn): Promise<boolean>;
  /** What comes after the last form: for a sign-in by password one of our login tokens, for exactly one caller. */
  issueTicket(request: ClientRequest, id: string): Promise<PageTicket | undefined>;
  /**
   * Ends a sign-in through the homeserver's single sign-on: its second login token passes for that user, once.
   * Answers where the client is; for exactly one caller.
   */
  passProviderToken(id: string, loginToken: string): Promise<string | undefined>;
}
