import type { Form } from '../../http/form.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { type RefusedCredentials, readCredentials } from '../forms/credentials.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import type { FormProblems } from '../forms/form_problems.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import type { RedirectTargets } from '../sign_in/redirect_targets.ts';
import { heldBy, type RecoverNext, type RecoverVisit } from './recover_visit.ts';

export interface RecoverProofsDeps {
  readonly sign: Pick<PageSignIn, 'begin'>;
  readonly targets: RedirectTargets;
  readonly browsers: KnownBrowser;
  readonly problems: FormProblems;
}

export const WRONG_CODE = { is: 'refused', reason: 'wrong_code' } as const;

/** The name and the password on `/_2fa/recover`, and what a person is told where something is refused. */
export class RecoverProofs {
  constructor(private readonly deps: RecoverProofsDeps) {}

  async takeCredentials(visit: PageVisit, before: RecoverVisit, form: Form): Promise<RecoverNext> {
    const { sign, browsers, targets, problems } = this.deps;
    const { name, password, problem } = readCredentials(form);
    const state: RecoverVisit = { ...before, name };
    if (problem !== undefined) return refusedIn(state, problem);
    try {
      const credentials = { name, password, browser: browsers.valueFor(visit.request) };
      const redirectUrl = targets.account('').href;
      const { standing } = await sign.begin(visit.request, {
        ...credentials,
        redirectUrl,
        readings: 'as_sent',
      });
      return { state: { ...state, step: 'held', held: heldBy(standing) } };
    } catch (error) {
      return refusedIn(state, problems.ofPassword(error));
    }
  }

  /** @throws the error, if no form tells of it */
  refused(state: RecoverVisit, error: unknown): RecoverNext {
    if (error instanceof Refusal && error.refusal === 'wrong_claim') {
      return { state: { ...state, problem: { is: 'claimWrong' } }, outcome: WRONG_CODE };
    }
    // It has ended or does not wait any more: the page shows how it stands.
    if (error instanceof Refusal && error.refusal === 'recovery_over') {
      return { state: { ...state, setUp: undefined }, outcome: error.outcome };
    }
    const { problems } = this.deps;
    if (error instanceof Refusal && error.status === 429) {
      return { state: { ...state, problem: problems.ofCode('recovery', error) }, outcome: error.outcome };
    }
    return refusedIn(state, problems.ofServer(error));
  }
}

function refusedIn(state: RecoverVisit, { problem, outcome }: RefusedCredentials): RecoverNext {
  return { state: { ...state, problem }, outcome };
}
