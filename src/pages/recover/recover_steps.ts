import type { Form } from '../../http/form.ts';
import type { PageRecovery } from '../../login/page_recovery.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import type { RecoveryClaims } from '../../login/recovery_claims.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { afterSaved, type SetUpPages, unlessOver } from '../set_up/set_up_pages.ts';
import type { AccountEntry } from '../sign_in/account_entry.ts';
import type { RedirectTargets } from '../sign_in/redirect_targets.ts';
import { type RecoverProofs, WRONG_CODE } from './recover_proofs.ts';
import { heldBy, type RecoverNext, type RecoverProblem, type RecoverVisit } from './recover_visit.ts';

/** No code that a person has is longer. */
const LONGEST_CODE = 64;

export interface RecoverStepsDeps {
  readonly sign: Pick<PageSignIn, 'find' | 'isChanged' | 'endOtherDevices'>;
  readonly door: PageRecovery | undefined;
  readonly claims: RecoveryClaims;
  readonly setUp: SetUpPages;
  readonly entry: AccountEntry;
  readonly targets: RedirectTargets;
  readonly proofs: RecoverProofs;
}

/** What the forms of `/_2fa/recover` come to. Each is given here once: its turn was taken. */
export class RecoverSteps {
  constructor(private readonly deps: RecoverStepsDeps) {}

  /** @throws Refusal what no form tells of */
  async take(visit: PageVisit, before: RecoverVisit, form: Form): Promise<RecoverNext> {
    const state = { ...before, problem: undefined };
    if (before.step === 'credentials') return this.deps.proofs.takeCredentials(visit, state, form);
    // It is shown until it is said to be saved, whatever became of the sign-in.
    if (state.claim !== undefined) return { state: afterClaim(state, form) };
    if (before.step === 'not_alone') return this.enter(visit, state);
    if (before.step !== 'held') return { state: before };
    const { sign, door } = this.deps;
    const standing = state.held && (await sign.find(state.held.id));
    if (standing === undefined || door === undefined) return this.over(state);
    try {
      return await this.takeHeld(visit, state, { standing, door, form });
    } catch (error) {
      return this.deps.proofs.refused(state, error);
    }
  }

  private takeHeld(visit: PageVisit, state: RecoverVisit, at: At): Promise<RecoverNext> {
    switch (at.form.get('step')) {
      case 'begin':
        return this.begin(visit, state, at);
      case 'stop':
        return this.stop(visit, state, at);
      case 'claim':
        return this.claim(visit, state, at);
      case 'set_up':
      case 'set_up_code':
      case 'saved':
        return this.takeSetUp(visit, state, at);
      default:
        return Promise.resolve({ state });
    }
  }

  private async begin(
    { request }: PageVisit,
    state: RecoverVisit,
    { standing, door, form }: At,
  ): Promise<RecoverNext> {
    const voucher = typedIn(form, 'recovery_code');
    const begun = await door.begin(request, standing.id, voucher);
    if (begun === undefined) return this.over(state);
    if (begun.is === 'wrong_voucher') {
      return { state: { ...state, problem: { is: 'voucher' } }, outcome: WRONG_CODE };
    }
    if (begun.is === 'not_offered') return { state };
    const { userId } = standing;
    return { state: { ...state, claim: { code: begun.claimCode, userId, opensTs: begun.opensTs } } };
  }

  private async stop(
    { request }: PageVisit,
    state: RecoverVisit,
    { standing, door }: At,
  ): Promise<RecoverNext> {
    const isStopped = await door.stop(request, standing.id);
    return { state: isStopped ? { ...state, step: 'stopped', setUp: undefined } : state };
  }

  private async claim(
    visit: PageVisit,
    state: RecoverVisit,
    { standing, door, form }: At,
  ): Promise<RecoverNext> {
    const { sign, setUp, claims } = this.deps;
    const typed = typedIn(form, 'claim_code');
    if (typed === '') {
      return {
        state: { ...state, problem: { is: 'claimMissing' } },
        outcome: new Refusal('missing_param').outcome,
      };
    }
    if (!(await door.isStillAllowed(visit.request, standing.id))) return { state };
    const session = await claims.claim(visit.request, standing.id, typed);
    const opened = session === undefined ? undefined : await sign.find(session);
    if (opened === undefined) return this.over(state);
    const shown = await unlessOver(() => setUp.begin(visit, opened.id, { replaces: 'all' }));
    const held = heldBy((await sign.find(opened.id)) ?? opened);
    return shown === undefined ? this.over(state) : { state: { ...state, held, setUp: shown } };
  }

  private async takeSetUp(
    visit: PageVisit,
    state: RecoverVisit,
    { standing: { id }, form }: At,
  ): Promise<RecoverNext> {
    const { setUp, sign } = this.deps;
    if (state.setUp === undefined) return { state };
    const stands = await setUp.settled(id, state.setUp);
    if (stands.is === 'codes') return this.saved(visit, { ...state, setUp: stands }, form);
    const shown = await unlessOver(() =>
      form.get('step') === 'set_up'
        ? setUp.begin(visit, id, { replaces: 'all', kind: form.get('kind') })
        : setUp.takeCode(visit, id, form),
    );
    if (shown === undefined) return this.over(state);
    if (shown.is !== 'codes') return { state: { ...state, setUp: shown } };
    // Those who had the old factors may have left sessions behind: all of them end.
    const areGone = await sign.endOtherDevices(visit.request, id);
    return { state: { ...state, setUp: shown, haveOthersFailed: !areGone } };
  }

  /** The recovery codes are saved: the person is on the account page, by this very sign-in. */
  private async saved(visit: PageVisit, state: RecoverVisit, form: Form): Promise<RecoverNext> {
    const setUp = afterSaved(state.setUp, form);
    if (setUp !== undefined) return { state: { ...state, setUp } };
    return this.enter(visit, { ...state, setUp: undefined });
  }

  /** As often as it takes: until the other devices are signed out no one is let in. */
  private async enter(visit: PageVisit, state: RecoverVisit): Promise<RecoverNext> {
    const done: RecoverVisit = { ...state, step: 'finished', haveOthersFailed: false };
    const wishes = { target: this.deps.targets.account(''), deviceName: visit.say('account.deviceName') };
    try {
      return {
        state: done,
        answer: await this.deps.entry.enter(visit.request, state.held?.id ?? '', wishes),
      };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.refusal === 'others_not_signed_out') {
        return { state: { ...state, step: 'not_alone' }, outcome: error.outcome };
      }
      // The account is recovered all the same: its owner signs in with the new authenticator.
      return { state: { ...done, haveOthersFailed: true }, outcome: error.outcome };
    }
  }

  /** The sign-in is not there any more. */
  private async over(state: RecoverVisit): Promise<RecoverNext> {
    const isChanged = state.held !== undefined && (await this.deps.sign.isChanged(state.held));
    const outcome = { is: 'refused', reason: 'session' } as const;
    return { state: { ...state, step: 'ended', ended: isChanged ? 'changed' : 'expired' }, outcome };
  }
}

/** Where a form comes to. */
interface At {
  readonly standing: PageStanding;
  readonly door: PageRecovery;
  readonly form: Form;
}

function typedIn(form: Form, field: string): string {
  return (form.get(field) ?? '').trim().slice(0, LONGEST_CODE);
}

/** The claim code stays until the tick. */
function afterClaim(state: RecoverVisit, form: Form): RecoverVisit {
  const problem: RecoverProblem = { is: 'claimTickFirst' };
  return form.has('saved') ? { ...state, claim: undefined } : { ...state, problem };
}
