import type { Form } from '../../http/form.ts';
import type { PageRecovery } from '../../login/page_recovery.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import type { SignInAlone } from './sign_in_alone.ts';
import { DONT_UNLOCK } from './sign_in_cards.ts';
import type { SignInEnds } from './sign_in_ends.ts';
import type { SignInProofs } from './sign_in_proofs.ts';
import type { SignInReplace } from './sign_in_replace.ts';
import { isReplaceForm, isSetUpForm, type SignInSetUp } from './sign_in_set_up.ts';
import type { Next, SignInVisit } from './sign_in_visit.ts';

export interface SignInStepsDeps {
  readonly door: PageSignIn;
  readonly proofs: SignInProofs;
  readonly ends: SignInEnds;
  readonly setUp: SignInSetUp;
  readonly replace: SignInReplace;
  /** Undefined where no one signs in by a factor alone. */
  readonly alone: SignInAlone | undefined;
  /** Undefined where accounts cannot be recovered. */
  readonly recovery: Pick<PageRecovery, 'stop'> | undefined;
}

/** What the forms of the sign-in page come to. Each is given here once: its turn was taken. */
export class SignInSteps {
  constructor(private readonly deps: SignInStepsDeps) {}

  /** @throws Refusal what no form tells of */
  async take(visit: PageVisit, state: SignInVisit, form: Form): Promise<Next> {
    const { alone } = this.deps;
    if (state.step === 'credentials') {
      return alone?.isSent(form) === true
        ? this.takeAlone(() => alone.take(visit, { ...state, problem: undefined }, form), state)
        : this.deps.proofs.takeCredentials(visit, state, form);
    }
    if (state.step === 'accepted' && alone !== undefined) {
      const cleared = { ...state, problem: undefined };
      return this.takeAlone(() => alone.decide(visit, cleared, form.get('decision')), cleared);
    }
    if (state.step !== 'held') return { state };
    const standing = state.held && (await this.deps.door.find(state.held.id));
    if (standing === undefined) return this.deps.ends.over(state);
    const { setUp, replace, recovery } = this.deps;
    const cleared = { ...(await setUp.settled(state, standing)), problem: undefined };
    if (form.get('step') === DONT_UNLOCK) {
      const isStopped = (await recovery?.stop(visit.request, standing.id)) === true;
      return { state: isStopped ? { ...cleared, isStopped } : cleared };
    }
    if (isReplaceForm(state, form)) {
      return this.takeSetUp(visit, cleared, () => replace.take(visit, cleared, standing, form));
    }
    if (isSetUpForm(form)) {
      return this.takeSetUp(visit, cleared, () => setUp.take(visit, cleared, standing, form));
    }
    if (standing.codeWanted) {
      return (await this.deps.proofs.takeCode(visit, cleared, standing, form)) ?? { state };
    }
    return this.takeDecision(visit, cleared, form.get('decision'));
  }

  /** As `SignInEnds.goOn`, for a sign-in that begins behind the homeserver's own single sign-on. */
  goOn(visit: PageVisit, before: SignInVisit, standing: PageStanding): Promise<Next> {
    return this.deps.ends.goOn(visit, before, standing);
  }

  private async takeAlone(take: () => Promise<Next>, state: SignInVisit): Promise<Next> {
    try {
      return await take();
    } catch (error) {
      return this.deps.proofs.refuse(state, error);
    }
  }

  private async takeSetUp(
    visit: PageVisit,
    state: SignInVisit,
    take: () => Promise<SignInVisit | undefined>,
  ): Promise<Next> {
    const { door } = this.deps;
    try {
      const taken = await take();
      if (taken === undefined) return await this.deps.ends.over(state);
      const now = taken.held && (await door.find(taken.held.id));
      return now === undefined
        ? await this.deps.ends.over(taken)
        : await this.deps.ends.goOn(visit, taken, now);
    } catch (error) {
      return this.deps.proofs.away(state, error);
    }
  }

  private async takeDecision(
    visit: PageVisit,
    state: SignInVisit,
    decision: string | undefined,
  ): Promise<Next> {
    const id = state.held?.id ?? '';
    if (decision === 'deny') return this.deps.ends.deny(visit, state);
    if (decision !== 'allow') return { state };
    try {
      return await this.deps.ends.finish(visit, state, id);
    } catch (error) {
      return this.deps.proofs.refuse(state, error);
    }
  }
}
