import type { Answer } from '../../http/answer.ts';
import type { PageRecovery } from '../../login/page_recovery.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import { requestInForm } from '../authorize/access_request.ts';
import { fieldOf, type WrongCredentials } from '../forms/fields.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import { type FormProblems, openFactors } from '../forms/form_problems.ts';
import { turnField, type Visit } from '../forms/visits.ts';
import { type Html, html } from '../shell/html.ts';
import { askedLocales } from '../texts/language.ts';
import { beginningOf, openingAddress, visitAddress, type Way } from './addresses.ts';
import type { OfferedProvider } from './offered_providers.ts';
import { queryOf, type RedirectTarget } from './redirect_targets.ts';
import type { SignInAlone } from './sign_in_alone.ts';
import { codeCard, credentialsCard } from './sign_in_cards.ts';
import type { SignInVisit } from './sign_in_visit.ts';

export const SCRIPT = 'forms.js';

export interface SignInFormsDeps {
  readonly problems: FormProblems;
  /** Undefined where no one signs in by a factor alone. */
  readonly alone: SignInAlone | undefined;
  readonly recovery: Pick<PageRecovery, 'runningFor'> | undefined;
  /** The host that browsers see. */
  readonly host: string;
}

/** What the first page of an app that asks for access has besides. */
interface FirstCard {
  /** Stands in the field for the name before anyone has typed one. */
  readonly name?: string | undefined;
  readonly beside?: BesideForm;
}

/** The forms in which a person proves who they are, and what they are told where that failed. */
export class SignInForms {
  constructor(private readonly deps: SignInFormsDeps) {}

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

  /** @param action where the form is sent */
  credentials(shown: Shown, action: string): Answer {
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

  async code(shown: Shown, standing: PageStanding): Promise<Answer> {
    const recovery = await this.deps.recovery?.runningFor(standing.userId);
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

  /** Whether a sign-in by a factor alone has ended. */
  isAloneOver(state: SignInVisit): boolean {
    return this.deps.alone === undefined || this.deps.alone.isOver(state);
  }

  /** The page of a sign-in that has ended. */
  ended({ visit, way }: Shown, { ended }: SignInVisit): Answer {
    const { cause, until } = ended ?? { cause: 'expired', until: 0 };
    const waitMs = cause === 'tooMany' ? this.deps.problems.leftUntil(until) : undefined;
    return visit.fail({ cause, href: beginningOf(way), waitMs });
  }

  /** What is wrong, in words. */
  textOf(visit: PageVisit, { problem }: SignInVisit): string | undefined {
    return problem && this.deps.problems.textOf(visit, problem);
  }
}

/** A page of the sign-in that can be shown now. */
export interface Shown {
  readonly visit: PageVisit;
  readonly seen: Visit<SignInVisit>;
  readonly way: Way;
  readonly beside?: BesideForm | undefined;
}

/** What the first card has besides its form. */
export interface BesideForm {
  readonly notice?: Html | undefined;
  readonly after?: Html | undefined;
  readonly providers?: readonly OfferedProvider[];
}

/** A sign-in for which no form was sent yet. */
export function unseen(visit: PageVisit, target: RedirectTarget, id: string, name = ''): Shown {
  const locales = askedLocales(visit.request);
  const state: SignInVisit = { target: target.href, step: 'credentials', name, locales };
  return { visit, seen: { id, turn: 0, state }, way: { target, locales } };
}

/** Where its forms go, and what is hidden in them. */
export function formOf(shown: Shown, tokenField: Html): { readonly action: string; readonly hidden: Html } {
  return { action: visitAddress(shown.way, shown.seen.id), hidden: hiddenIn(shown, tokenField) };
}

/** The request of an app travels in the form until its first one is sent, and in the visit then. */
function hiddenIn({ way, seen }: Pick<Shown, 'way' | 'seen'>, tokenField: Html): Html {
  const { target } = way;
  const isOnTheWay = target.kind === 'authorize' && seen.turn === 0;
  return html`${tokenField}${turnField(seen.turn)}${isOnTheWay && requestInForm(queryOf(target))}`;
}
