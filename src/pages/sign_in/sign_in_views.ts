import type { Answer } from '../../http/answer.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import type { AccessViews } from '../authorize/access_views.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import { turnField, type Visit } from '../forms/visits.ts';
import { beginningOf, replaceAddress, visitAddress, type Way } from './addresses.ts';
import type { RedirectTargets } from './redirect_targets.ts';
import { type ConfirmedStanding, cancelledCard, confirmationCard, confirmTitle } from './sign_in_cards.ts';
import { type BesideForm, formOf, SCRIPT, type Shown, type SignInForms } from './sign_in_forms.ts';
import type { SignInReplace } from './sign_in_replace.ts';
import type { SignInSetUp } from './sign_in_set_up.ts';
import type { SignInVisit } from './sign_in_visit.ts';

export interface SignInViewsDeps {
  readonly door: PageSignIn;
  readonly targets: RedirectTargets;
  readonly setUp: SignInSetUp;
  readonly replace: SignInReplace;
  readonly forms: SignInForms;
  /** Undefined where apps cannot ask for access. */
  readonly accessViews: AccessViews | undefined;
}

/** Shows where a sign-in stands. It changes nothing. */
export class SignInViews {
  constructor(private readonly deps: SignInViewsDeps) {}

  /** The forms with which a sign-in begins. */
  get forms(): SignInForms {
    return this.deps.forms;
  }

  of(visit: PageVisit, seen: Visit<SignInVisit>, beside?: BesideForm): Promise<Answer> {
    return this.shown(visit, seen, { beside, isReplacing: false });
  }

  /** The page of a replacement; where there is none, what comes next. */
  replacing(visit: PageVisit, seen: Visit<SignInVisit>): Promise<Answer> {
    return this.shown(visit, seen, { isReplacing: true });
  }

  private async shown(
    visit: PageVisit,
    seen: Visit<SignInVisit>,
    { beside, isReplacing }: { readonly beside?: BesideForm | undefined; readonly isReplacing: boolean },
  ): Promise<Answer> {
    const { state } = seen;
    const target = this.deps.targets.read(state.target);
    if (target === undefined) return visit.fail({ cause: 'link' });
    const way: Way = { target, provider: state.provider, locales: state.locales };
    const shown = { visit, seen, way, beside };
    switch (state.step) {
      case 'credentials':
        return this.deps.forms.credentials(shown, visitAddress(way, seen.id));
      case 'accepted':
        return this.accepted(shown);
      case 'held':
        return this.held(shown, isReplacing);
      case 'cancelled':
        return visit.render({
          title: visit.say('cancelled.title'),
          body: () => cancelledCard(visit.say, state.back?.href),
        });
      case 'finished':
        return (
          this.deps.accessViews?.leading(visit, target, state.back) ??
          visit.fail({ cause: 'used', href: beginningOf(way) })
        );
      case 'ended':
        return this.deps.forms.ended(shown, state);
    }
  }

  /** One who signed in by a factor alone is asked who gets access. */
  private accepted(shown: Shown): Answer | Promise<Answer> {
    const { alone } = shown.seen.state;
    if (alone === undefined || this.deps.forms.isAloneOver(shown.seen.state)) return this.over(shown);
    const { userId } = alone;
    return this.asking(shown, { userId, recoveryCodesLeft: undefined, mayTurnOn: false });
  }

  /** @param isReplacing the page of a replacement is asked for, where there is one */
  private async held(found: Shown, isReplacing: boolean): Promise<Answer> {
    const { visit } = found;
    const { held } = found.seen.state;
    const standing = held && (await this.deps.door.find(held.id));
    if (standing === undefined) return this.over(found);
    const state = await this.deps.setUp.settled(found.seen.state, standing);
    const seen = { ...found.seen, state };
    const shown = { ...found, seen };
    const form = { action: visitAddress(shown.way, seen.id), fields: turnField(seen.turn) };
    // Recovery codes are shown until they are said to be saved.
    if (isReplacing || state.replacement?.shown.is === 'codes') {
      const page = await this.deps.replace.show(visit, state, standing, form);
      if (page !== undefined) return page;
    }
    if (this.deps.setUp.isNext(state, standing)) {
      return (await this.deps.setUp.show(visit, state, standing, form)) ?? this.over(shown);
    }
    if (!standing.codeWanted) return this.confirmation(shown, standing);
    return this.deps.forms.code(shown, standing);
  }

  private async over(shown: Shown): Promise<Answer> {
    const { state } = shown.seen;
    const isChanged = state.held !== undefined && (await this.deps.door.isChanged(state.held));
    return this.deps.forms.ended(shown, {
      ...state,
      ended: { cause: isChanged ? 'changed' : 'expired', until: 0 },
    });
  }

  private async confirmation(shown: Shown, standing: PageStanding): Promise<Answer> {
    const { isReplaced = false } = shown.seen.state;
    const mayReplace =
      standing.recoveryCodesLeft !== undefined &&
      !isReplaced &&
      (await this.deps.replace.isOffered(standing));
    return this.asking(shown, standing, mayReplace);
  }

  private async asking(shown: Shown, standing: ConfirmedStanding, mayReplace = false): Promise<Answer> {
    const { visit, seen, way } = shown;
    const { say } = visit;
    const { isReplaced = false } = seen.state;
    const problem = this.deps.forms.textOf(visit, seen.state);
    const consent = await this.deps.accessViews?.consent(visit, seen.state, way.target);
    if (consent?.is === 'fault') return consent.answer;
    return visit.render({
      title: titleOf(visit, consent?.title ?? confirmTitle(say, way.target), problem),
      script: SCRIPT,
      body: (tokenField) =>
        confirmationCard({
          ...{ say, way, standing, problem, isReplaced, consent },
          replaceAt: mayReplace ? replaceAddress(way, seen.id) : undefined,
          ...formOf(shown, tokenField),
        }),
    });
  }
}
