import type { Factors } from '../../factors/factors.ts';
import type { Form } from '../../http/form.ts';
import type { PageDoor, PageStanding } from '../../login/page_door.ts';
import type { PageRecovery } from '../../login/page_recovery.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { type RefusedCredentials, readCredentials } from '../forms/credentials.ts';
import { CODE_FIELD, readSentCode, sentField } from '../forms/fields.ts';
import { refusedCode } from '../forms/form_page.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import type { FormProblems } from '../forms/form_problems.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import { isAccess, type RedirectTargets } from './redirect_targets.ts';
import type { SignInAlone } from './sign_in_alone.ts';
import { DONT_UNLOCK } from './sign_in_cards.ts';
import type { SignInEnds } from './sign_in_ends.ts';
import type { SignInReplace } from './sign_in_replace.ts';
import { isReplaceForm, isSetUpForm, type SignInSetUp } from './sign_in_set_up.ts';
import { end, heldBy, type Next, type SignInVisit } from './sign_in_visit.ts';

export interface SignInStepsDeps {
  readonly door: PageDoor;
  readonly targets: RedirectTargets;
  readonly ends: SignInEnds;
  readonly browsers: KnownBrowser;
  readonly factors: Factors;
  readonly setUp: SignInSetUp;
  readonly replace: SignInReplace;
  readonly problems: FormProblems;
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
        : this.takeCredentials(visit, state, form);
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
      return sentField(form, this.deps.factors) !== undefined
        ? this.takeCode(visit, cleared, standing, form)
        : { state };
    }
    return this.takeDecision(visit, cleared, form.get('decision'));
  }

  /** The way on after the password, or the provider, was right. */
  async goOn(visit: PageVisit, before: SignInVisit, standing: PageStanding): Promise<Next> {
    const state: SignInVisit = { ...before, step: 'held', held: heldBy(standing) };
    if (this.deps.setUp.isNext(state, standing)) {
      return { state, outcome: { is: 'challenged', reason: 'enrolment' } };
    }
    if (standing.codeWanted) return { state, outcome: { is: 'challenged', reason: 'factor' } };
    const target = this.deps.targets.read(state.target);
    if (target?.kind === 'account') return this.deps.ends.enter(visit, state, target);
    if (target !== undefined && isAccess(target)) return this.deps.ends.ask(visit, state, target);
    // After a sign-in with a recovery code the page says first what to do about the lost phone.
    const mayPass =
      standing.recoveryCodesLeft === undefined && target !== undefined && this.deps.targets.isListed(target);
    return mayPass ? this.deps.ends.finish(visit, state, standing.id) : { state };
  }

  private async takeAlone(take: () => Promise<Next>, state: SignInVisit): Promise<Next> {
    try {
      return await take();
    } catch (error) {
      return this.refuse(state, error);
    }
  }

  private async takeCredentials(visit: PageVisit, before: SignInVisit, form: Form): Promise<Next> {
    const { door, browsers } = this.deps;
    const { name, password, problem } = readCredentials(form);
    const state: SignInVisit = { ...before, name, problem: undefined };
    if (problem !== undefined) return refusedIn(state, problem);
    try {
      const browser = browsers.valueFor(visit.request);
      const credentials = { name, password, browser, redirectUrl: state.target };
      const { standing, appended } = await door.begin(visit.request, credentials);
      const next = await this.goOn(visit, state, standing);
      if (appended === 'accepted') return { ...next, mark: browser };
      if (appended === 'refused') return wrongCode(visit, next.state, CODE_FIELD);
      return appended === undefined ? next : this.refuseCode(next.state, CODE_FIELD, appended);
    } catch (error) {
      return this.refuse(state, error);
    }
  }

  /** @throws the error, if it is not about what was typed */
  private refuse(state: SignInVisit, error: unknown): Next {
    if (error instanceof Refusal && error.refusal === 'hold_ended') return end(state, 'changed');
    return refusedIn(state, this.deps.problems.ofPassword(error));
  }

  /** The homeserver is away: the form is shown again. @throws Refusal if it is not that */
  private away(state: SignInVisit, error: unknown): Next {
    return refusedIn(state, this.deps.problems.ofServer(error));
  }

  private async takeCode(
    visit: PageVisit,
    state: SignInVisit,
    { id }: PageStanding,
    form: Form,
  ): Promise<Next> {
    const { door, browsers, factors } = this.deps;
    const sent = readSentCode(form, factors);
    try {
      const browser = browsers.valueFor(visit.request);
      const outcome = await door.submitCode(visit.request, id, { ...sent, browser });
      if (outcome === undefined) return await this.deps.ends.over(state);
      switch (outcome.kind) {
        case 'accepted':
          return { ...(await this.goOn(visit, state, outcome.standing)), mark: browser };
        case 'refused':
          return wrongCode(visit, state, sent.field);
        case 'missing':
          return missing(state, sent.field);
        case 'used_up':
          return this.deps.ends.tooMany(visit, state, outcome);
      }
    } catch (error) {
      return error instanceof Refusal && error.status === 429
        ? this.refuseCode(state, sent.field, error)
        : this.away(state, error);
    }
  }

  private refuseCode(state: SignInVisit, field: string, refusal: Refusal): Next {
    return {
      state: { ...state, problem: this.deps.problems.ofCode(field, refusal) },
      outcome: refusal.outcome,
    };
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
      return now === undefined ? await this.deps.ends.over(taken) : await this.goOn(visit, taken, now);
    } catch (error) {
      return this.away(state, error);
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
      return this.refuse(state, error);
    }
  }
}

function wrongCode({ request }: PageVisit, state: SignInVisit, field: string): Next {
  return { state: { ...state, problem: { is: 'refused', field } }, outcome: refusedCode(request).outcome };
}

function refusedIn(state: SignInVisit, { problem, outcome }: RefusedCredentials): Next {
  return { state: { ...state, problem }, outcome };
}

/** Nothing was typed: nothing was judged or counted. */
function missing(state: SignInVisit, field: string): Next {
  return {
    state: { ...state, problem: { is: 'missing', field } },
    outcome: new Refusal('missing_param').outcome,
  };
}
