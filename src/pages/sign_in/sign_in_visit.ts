import type { Answer } from '../../http/answer.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import type { AloneAccepted } from '../../second_factor/passes.ts';
import type { FormProblem } from '../forms/form_problems.ts';
import type { SetUpShown } from '../set_up/set_up_pages.ts';

/** The sign-in behind a visit. */
export type HeldSignIn = Pick<PageStanding, 'id' | 'userId' | 'version' | 'endsAt'>;

/** A replacement that was begun. */
export interface ShownReplacement {
  readonly shown: SetUpShown;
  /** Whether it takes the place of all authenticators. */
  readonly isAll: boolean;
  /** Whether all other devices are to be signed out when it is done. */
  readonly endsOthers: boolean;
  /** They could not be. */
  readonly haveOthersFailed?: boolean;
}

/** What stands between the requests of a browser at the sign-in page. */
export interface SignInVisit {
  /** Where the client wants its login token. */
  readonly target: string;
  readonly step: 'credentials' | 'held' | 'accepted' | 'finished' | 'cancelled' | 'ended';
  /** The languages that the client asked for (`ui_locales`). */
  readonly locales?: string | undefined;
  /** As it was typed. */
  readonly name: string;
  /** The identity provider of the homeserver that the person came by. */
  readonly provider?: string | undefined;
  readonly held?: HeldSignIn | undefined;
  /** A factor that was accepted alone, while its user is asked who gets access. */
  readonly alone?: (AloneAccepted & { readonly endsAt: number }) | undefined;
  readonly problem?: FormProblem | undefined;
  /** The page of a set-up during the sign-in. It holds recovery codes until they are said to be saved. */
  readonly setUp?: SetUpShown | undefined;
  /** A recovery of the account was stopped. */
  readonly isStopped?: boolean | undefined;
  /** A set-up that was offered was put off. */
  readonly isPutOff?: boolean | undefined;
  /** A replacement during the sign-in: gone where its recovery codes are said to be saved. */
  readonly replacement?: ShownReplacement | undefined;
  /** An authenticator was replaced. */
  readonly isReplaced?: boolean | undefined;
  /** Whether the device that an app asks for is there: its session would end. */
  readonly endsDevice?: boolean | undefined;
  /** The answer that an app gets, sealed with the visit. A code in it is shown until it is not good any more. */
  readonly back?: { readonly href: string; readonly until?: number } | undefined;
  readonly ended?: { readonly cause: 'expired' | 'changed' | 'tooMany'; readonly until: number } | undefined;
}

/** What a form came to. */
export interface Next {
  readonly state: SignInVisit;
  readonly outcome?: Outcome | undefined;
  /** Away from the visit; without it the browser is sent to the visit. */
  readonly answer?: Answer | undefined;
  /** The mark that the browser keeps from now on. */
  readonly mark?: string | undefined;
}

const SESSION_OVER: Outcome = { is: 'refused', reason: 'session' };

/** The sign-in is over, for a reason that the page tells. */
export function end(state: SignInVisit, cause: 'changed' | 'expired'): Next {
  return { state: { ...state, step: 'ended', ended: { cause, until: 0 } }, outcome: SESSION_OVER };
}

export function heldBy({ id, userId, version, endsAt }: PageStanding): HeldSignIn {
  return { id, userId, version, endsAt };
}
