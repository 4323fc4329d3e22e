import type { Answer } from '../../http/answer.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import type { FormProblem } from '../forms/form_problems.ts';
import type { SetUpShown } from '../set_up/set_up_pages.ts';
import { RECOVER_PAGE } from '../shell/footer.ts';

/** What was wrong with the last form. Times are ms since the epoch. */
export type RecoverProblem =
  | FormProblem
  | { readonly is: 'voucher' | 'claimWrong' | 'claimMissing' | 'claimTickFirst' };

/** The sign-in behind a visit. */
export type HeldForRecovery = Pick<PageStanding, 'id' | 'userId' | 'version' | 'endsAt'>;

/** What stands between the requests of a browser at `/_2fa/recover`. */
export interface RecoverVisit {
  readonly step: 'credentials' | 'held' | 'not_alone' | 'stopped' | 'finished' | 'ended';
  /** As it was typed. */
  readonly name: string;
  readonly held?: HeldForRecovery | undefined;
  readonly problem?: RecoverProblem | undefined;
  /** The claim code, until it is said to be saved. */
  readonly claim?: { readonly code: string; readonly userId: string; readonly opensTs: number } | undefined;
  /** The set-up that the claim code has opened. It holds recovery codes until they are said to be saved. */
  readonly setUp?: SetUpShown | undefined;
  /** All is done, but the other devices could not be signed out. */
  readonly haveOthersFailed?: boolean | undefined;
  readonly ended?: 'expired' | 'changed' | undefined;
}

/** What a form came to. */
export interface RecoverNext {
  readonly state: RecoverVisit;
  readonly outcome?: Outcome | undefined;
  /** Away from the visit; without it the browser is sent to the visit. */
  readonly answer?: Answer | undefined;
}

export function heldBy({ id, userId, version, endsAt }: PageStanding): HeldForRecovery {
  return { id, userId, version, endsAt };
}

/** The address of a visit. */
export function addressOf(visitId: string): string {
  return `${RECOVER_PAGE}?v=${visitId}`;
}
