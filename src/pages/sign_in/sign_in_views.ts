import type { Answer } from '../../http/answer.ts';
import type { PageDoor, PageStanding } from '../../login/page_door.ts';
import type { PageRecovery } from '../../login/page_recovery.ts';
import type { AccessViews } from '../authorize/access_views.ts';
import { fieldOf, type WrongCredentials } from '../forms/fields.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import { type FormProblems, openFactors } from '../forms/form_problems.ts';
import { turnField, type Visit } from '../forms/visits.ts';
import type { Html } from '../shell/html.ts';
import { beginningOf, openingAddress, replaceAddress, visitAddress, type Way } from './addresses.ts';
import type { RedirectTarget, RedirectTargets } from './redirect_targets.ts';
import type { SignInAlone } from './sign_in_alone.ts';
import {
  type ConfirmedStanding,
  cancelledCard,
  codeCard,
  confirmationCard,
  confirmTitle,
  credentialsCard,
} from './sign_in_cards.ts';
import type { SignInReplace } from './sign_in_replace.ts';
import type { SignInSetUp } from './sign_in_set_up.ts';
import { type BesideForm, formOf, hiddenIn, type Shown, unseen } from './sign_in_shown.ts';
import type { SignInVisit } from './sign_in_visit.ts';

const SCRIPT = 'forms.js';

export interface SignInViewsDeps {
  readonly door: PageDoor;
  readonly targets: RedirectTargets;
  readonly setUp: SignInSetUp;
  readonly replace: SignInReplace;
  readonly problems: FormProblems;
  /** Undefined where no one signs in by a factor alone. */
  readonly alone: SignInAlone | undefined;
  /** The host that browsers see. */
  readonly host: string;
  readonly recovery: Pick<PageRecovery, 'runningFor'> | undefined;
  /** Undefined where apps cannot ask for access. */
  readonly accessViews: AccessViews | undefined;
}

/** What the first page of an app that asks for access has besides. */
interface FirstCard {
  /** Stands in the field for the name before anyone has typed one. */
  readonly name?: string | undefined;
  readonly beside?: BesideForm;
}

/** Shows where a sign-in stands. It changes nothing. */
export class SignInViews {
  constructor(private readonly deps: SignInViewsDeps) {}

  /** The first page, whose form opens a visit with this id. */
  first(visit: PageVisit, target: RedirectTarget, id: string, { name, beside }: FirstCard = {}): Answer {
    const shown = { ...unseen(visit, target, id, name), beside };
    return this.credentials(shown, openingAddress(shown.way, id));
  }

  /** The card of it alone, for the account page. */
  firstCard(
    visit: PageVisit,
    target: RedirectTarget,
    id: string,
    beside: BesideForm,
    { tokenField, token }: { readonly tokenField: Html; readonly token: string },
  ): Html {
    const shown = unseen(visit, target, id);
    return this.card({ ...shown, beside }, openingAddress(shown.way, id), tokenField, token);
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
        return this.credentials(shown, visitAddress(way, seen.id));
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
        return this.ended(shown, state);
    }
  }

  /** One who signed in by a factor alone is asked who gets access. */
  private accepted(shown: Shown): Answer | Promise<Answer> {
    const { alone } = shown.seen.state;
    const isOver = this.deps.alone === undefined || this.deps.alone.isOver(shown.seen.state);
    if (alone === undefined || isOver) return this.over(shown);
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
    return this.code(shown, standing, await this.deps.recovery?.runningFor(standing.userId));
  }

  private async over(shown: Shown): Promise<Answer> {
    const { state } = shown.seen;
    const isChanged = state.held !== undefined && (await this.deps.door.isChanged(state.held));
    return this.ended(shown, { ...state, ended: { cause: isChanged ? 'changed' : 'expired', until: 0 } });
  }

  private ended({ visit, way }: Shown, { ended }: SignInVisit): Answer {
    const { cause, until } = ended ?? { cause: 'expired', until: 0 };
    const waitMs = cause === 'tooMany' ? this.deps.problems.leftUntil(until) : undefined;
    return visit.fail({ cause, href: beginningOf(way), waitMs });
  }

  private credentials(shown: Shown, action: string): Answer {
    const { visit, seen, way } = shown;
    const { problem } = seen.state;
    const title = visit.say(way.target.kind === 'account' ? 'account.title' : 'signIn.title');
    return visit.render({
      title: titleOf(visit, title, this.textOf(visit, seen.state)),
      script: SCRIPT,
      retryAfterMs: this.deps.problems.waitOf(problem),
      body: (tokenField, token) => this.card(shown, action, tokenField, token),
    });
  }

  private card({ visit, seen, way, beside }: Shown, action: string, tokenField: Html, token: string): Html {
    const { say } = visit;
    const { name, problem } = seen.state;
    const wrong: WrongCredentials = {
      name,
      field: fieldOf(problem),
      problem: this.textOf(visit, seen.state),
    };
    const hidden = hiddenIn({ way, seen }, tokenField);
    const asking = { token, visit: seen.id, turn: seen.turn };
    const alone = this.deps.alone?.form(visit, asking, { hidden, action });
    return credentialsCard({
      ...{ say, hidden, action, way, alone, server: this.deps.host },
      ...wrong,
      ...beside,
    });
  }

  private code(shown: Shown, standing: PageStanding, recovery: { opensTs: number } | undefined): Answer {
    const { visit, seen, way } = shown;
    const { say, language } = visit;
    const { problem, isStopped = false } = seen.state;
    const told = this.deps.problems.told(visit, problem);
    const factors = openFactors(standing.factors, problem);
    return visit.render({
      title: titleOf(visit, say('code.title'), told.refused?.problem ?? told.problem),
      script: SCRIPT,
      retryAfterMs: this.deps.problems.waitOf(problem),
      body: (tokenField) =>
        codeCard({
          ...{ say, language, way, recovery, ...told },
          ...formOf(shown, tokenField),
          problem: told.problem ?? (isStopped ? say('code.recoveryStopped') : undefined),
          canRecover: this.deps.recovery !== undefined,
          standing: { ...standing, factors },
        }),
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
    const problem = this.textOf(visit, seen.state);
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

  private textOf(visit: PageVisit, { problem }: SignInVisit): string | undefined {
    return problem && this.deps.problems.textOf(visit, problem);
  }
}
