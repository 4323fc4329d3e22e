import type { Factors } from '../../factors/factors.ts';
import type { FallbackStanding } from '../../guard/guarded_page.ts';
import type { GuardedProofs, ProofOutcome } from '../../guard/guarded_proofs.ts';
import type { HomeserverSignOn } from '../../guard/homeserver_sign_on.ts';
import type { Form } from '../../http/form.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import { Refusal, type RefusalName } from '../../matrix/refusals.ts';
import type { Clock } from '../../system/clock.ts';
import { readSentCode } from '../forms/fields.ts';
import { refusedCode } from '../forms/form_page.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import type { FormProblem, FormProblems } from '../forms/form_problems.ts';
import { SIGN_ON_STEP } from './fallback_cards.ts';
import { type EndedApproval, type FallbackProblem, type FallbackVisit, isAbout } from './fallback_visit.ts';
import type { Judged } from './session_visits.ts';

const LONGEST_PASSWORD = 4096;

const WRONG_PASSWORD: Outcome = { is: 'refused', reason: 'wrong_password' };

const SESSION: Outcome = { is: 'refused', reason: 'session' };

/** What the homeserver says for good, whatever is typed. */
const ENDS: { readonly [Name in RefusalName]?: 'over' | 'closed' | 'oauth' | 'noPassword' } = {
  unknown_token: 'over',
  forbidden: 'closed',
  oauth_session: 'oauth',
  no_password: 'noPassword',
};

type Next = Judged<FallbackVisit>;

/** What the forms of the fallback pages come to. Each is given here once: its turn was taken. */
export class FallbackSteps {
  constructor(
    private readonly deps: {
      readonly proofs: GuardedProofs;
      readonly signOn: HomeserverSignOn;
      readonly factors: Factors;
      readonly problems: FormProblems;
      readonly clock: Clock;
    },
  ) {}

  /** @throws Refusal what no form tells of */
  async take(visit: PageVisit, standing: FallbackStanding, before: FallbackVisit, form: Form): Promise<Next> {
    const state = { ...before, refused: undefined };
    // Another body was bound since the form was shown: what is approved is what was shown (attack 148).
    if (!isAbout(form, standing)) return { state };
    if (form.get('step') === SIGN_ON_STEP) return this.toSignOn(visit, standing, state);
    const password = form.get('password');
    return password === undefined
      ? this.takeCode(visit, standing, state, form)
      : this.takePassword(visit, standing, state, password);
  }

  /** The account has no password: what follows stands on the homeserver's page. */
  private async toSignOn(
    { request }: PageVisit,
    standing: FallbackStanding,
    state: FallbackVisit,
  ): Promise<Next> {
    try {
      if (await this.deps.signOn.begin(request, standing)) {
        return { state, outcome: { is: 'challenged', reason: 'homeserver' } };
      }
      // It has got one meanwhile: the page asks for that.
      if (!(await this.deps.signOn.isNext(request, standing))) return { state };
      throw new Refusal('no_password');
    } catch (error) {
      return this.notJudged(state, error);
    }
  }

  private async takeCode(
    visit: PageVisit,
    standing: FallbackStanding,
    state: FallbackVisit,
    form: Form,
  ): Promise<Next> {
    const { proofs, factors, problems } = this.deps;
    const { request } = visit;
    const sent = readSentCode(form, factors);
    const refused = (problem: FormProblem) => ({ ...state, refused: { of: 'code', problem } as const });
    try {
      const outcome = await proofs.submitCode(request, standing, sent);
      switch (outcome.kind) {
        case 'missing':
          return missing(state, { of: 'code', problem: { is: 'missing', field: sent.field } });
        case 'refused':
          return {
            state: refused({ is: 'refused', field: sent.field }),
            outcome: refusedCode(request).outcome,
          };
        default:
          return this.next(state, outcome, 'code');
      }
    } catch (error) {
      if (error instanceof Refusal && error.status === 429) {
        return { state: refused(problems.ofCode(sent.field, error)), outcome: error.outcome };
      }
      const { problem, outcome } = problems.ofServer(error);
      return { state: refused(problem), outcome };
    }
  }

  private async takePassword(
    { request }: PageVisit,
    standing: FallbackStanding,
    state: FallbackVisit,
    password: string,
  ): Promise<Next> {
    if (password.length > LONGEST_PASSWORD) throw new Refusal('too_large');
    if (password === '') return missing(state, { of: 'password', problem: { is: 'missingPassword' } });
    try {
      const outcome = await this.deps.proofs.submitPassword(request, standing, password);
      if (outcome.kind !== 'refused') return this.next(state, outcome, 'password');
      const refused = { of: 'password', problem: { is: 'wrongPassword' } } as const;
      return { state: { ...state, refused }, outcome: WRONG_PASSWORD };
    } catch (error) {
      return this.notJudged(state, error);
    }
  }

  /** What comes next stands in the session, if it is still there. */
  private next(state: FallbackVisit, outcome: ProofOutcome, of: FallbackProblem['of']): Next {
    if (outcome.kind === 'gone') return { state, outcome: SESSION };
    if (outcome.kind === 'used_up') {
      const until = this.deps.clock.now() + outcome.waitMs;
      const ended: EndedApproval =
        of === 'code' ? { cause: 'tooManyCodes', until } : { cause: 'tooManyPasswords' };
      return { state: { ...state, ended }, outcome: SESSION };
    }
    const { missing: wanted } = outcome.standing;
    const isRecovery = state.isRecovery || (outcome.kind === 'accepted' && outcome.isRecovery);
    const then = { ...state, isRecovery };
    if (wanted === 'nothing') return { state: then };
    return { state: then, outcome: { is: 'challenged', reason: wanted === 'code' ? 'factor' : 'password' } };
  }

  /** @throws the error, if no form tells of it */
  private notJudged(state: FallbackVisit, error: unknown): Next {
    const cause = error instanceof Refusal ? ENDS[error.refusal] : undefined;
    if (error instanceof Refusal && cause !== undefined) {
      return { state: { ...state, ended: { cause } }, outcome: error.outcome };
    }
    const { problem, outcome } = this.deps.problems.ofPassword(error);
    return { state: { ...state, refused: { of: 'password', problem } }, outcome };
  }
}

/** Nothing was typed: nothing was judged or counted. */
function missing(state: FallbackVisit, refused: FallbackProblem): Next {
  return { state: { ...state, refused }, outcome: new Refusal('missing_param').outcome };
}
