import type { Factors } from '../../factors/factors.ts';
import type { FallbackStanding, GuardedPage } from '../../guard/guarded_page.ts';
import type { HomeserverSignOn } from '../../guard/homeserver_sign_on.ts';
import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { Answer } from '../../http/answer.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import { type FormProblems, openFactors } from '../forms/form_problems.ts';
import type { FindContact } from '../shell/contact.ts';
import { type Html, html } from '../shell/html.ts';
import { providersForApproval } from '../sign_in/offered_providers.ts';
import { codeCard, homeserverCard, passwordCard, providerCard } from './fallback_cards.ts';
import {
  aboutField,
  type EndedApproval,
  type FallbackVisit,
  type PasswordProblem,
} from './fallback_visit.ts';
import { done, ended } from './last_pages.ts';
import type { SeenVisit } from './session_visits.ts';

const FORM_SCRIPT = 'forms.js';
/** What is told at the field of the password; all else above the form. */
const AT_FIELD: readonly PasswordProblem['is'][] = ['wrongPassword', 'missingPassword'];

export interface FallbackViewsDeps {
  readonly page: GuardedPage;
  readonly signOn: HomeserverSignOn;
  readonly homeserver: Homeserver;
  readonly factors: Factors;
  readonly problems: FormProblems;
  /** Whether those who have lost all factors can recover the account themselves. */
  readonly canRecover: boolean;
  readonly contact: FindContact;
}

type Seen = SeenVisit<FallbackVisit>;

/** Shows what a session still lacks, and how the last form failed. It changes nothing. */
export class FallbackViews {
  constructor(private readonly deps: FallbackViewsDeps) {}

  /** Asks for what is missing; where nothing is, tells the client. */
  async ask(visit: PageVisit, standing: FallbackStanding, seen: Seen): Promise<Answer> {
    if (await this.deps.signOn.isNext(visit.request, standing)) return this.signOn(visit, standing, seen);
    switch (standing.missing) {
      case 'nothing':
        return this.done(visit, standing, seen);
      case 'code':
        return this.code(visit, standing, seen);
      case 'password':
        return this.password(visit, standing, seen);
      case 'provider':
        return this.provider(visit, standing, seen);
    }
  }

  /** The page of a session that has ended. */
  ended(visit: PageVisit, end: EndedApproval): Answer {
    const { problems, contact } = this.deps;
    return ended(visit, end, { waitMs: problems.waitOf({ is: end.cause, ...end }), contact: contact() });
  }

  private async done(visit: PageVisit, standing: FallbackStanding, { state }: Seen): Promise<Answer> {
    return done(
      visit,
      state.isRecovery === true ? await this.deps.page.recoveryCodesLeft(standing) : undefined,
    );
  }

  /** The account has no password: the homeserver's single sign-on says who it is. */
  private async provider(visit: PageVisit, standing: FallbackStanding, seen: Seen): Promise<Answer> {
    const providers = await providersForApproval(this.deps.homeserver, visit.request);
    const card = await this.card(visit, standing, seen);
    return visit.render({
      title: visit.say('approve.title'),
      asks: 'password',
      body: (tokenField) => providerCard({ ...card(tokenField), providers }),
    });
  }

  /** The same, by the homeserver's own page: what was asked for is guarded by the homeserver, too. */
  private async signOn(visit: PageVisit, standing: FallbackStanding, seen: Seen): Promise<Answer> {
    const { refused } = seen.state;
    const problem = refused?.of === 'password' ? this.textOf(visit, refused.problem) : undefined;
    const card = await this.card(visit, standing, seen);
    return visit.render({
      title: titleOf(visit, visit.say('approve.title'), problem),
      asks: 'password',
      script: FORM_SCRIPT,
      body: (tokenField) => homeserverCard({ ...card(tokenField), problem }),
    });
  }

  private async code(visit: PageVisit, standing: FallbackStanding, seen: Seen): Promise<Answer> {
    const { page, problems } = this.deps;
    const { refused } = seen.state;
    // A problem with a password is not shown at a code that is asked for by now.
    const problem = refused?.of === 'code' ? refused.problem : undefined;
    const told = problems.told(visit, problem);
    const { factors, asked } = await page.factorsAsked(standing);
    const card = await this.card(visit, standing, seen);
    return visit.render({
      title: titleOf(visit, visit.say('approve.title'), told.refused?.problem ?? told.problem),
      asks: 'factor',
      script: FORM_SCRIPT,
      retryAfterMs: problems.waitOf(problem),
      body: (tokenField) =>
        codeCard({
          ...card(tokenField),
          ...{ factors: openFactors(factors, problem), asked, canRecover: this.deps.canRecover, ...told },
        }),
    });
  }

  private async password(visit: PageVisit, standing: FallbackStanding, seen: Seen): Promise<Answer> {
    const { refused } = seen.state;
    const problem = refused?.of === 'password' ? refused.problem : undefined;
    const text = problem && this.textOf(visit, problem);
    const atField = problem !== undefined && AT_FIELD.includes(problem.is);
    const card = await this.card(visit, standing, seen);
    return visit.render({
      title: titleOf(visit, visit.say('approve.title'), text),
      asks: 'password',
      script: FORM_SCRIPT,
      retryAfterMs: this.deps.problems.waitOf(problem),
      body: (tokenField) =>
        passwordCard({
          ...card(tokenField),
          refused: atField && text !== undefined ? { problem: text } : undefined,
          problem: atField ? undefined : text,
        }),
    });
  }

  /** What both cards have, with the token of their forms. */
  private async card(visit: PageVisit, standing: FallbackStanding, seen: Seen) {
    const { say, language, request } = visit;
    const { factors, page } = this.deps;
    const device = await page.askedBy(request, standing);
    return (tokenField: Html) => ({
      ...{ say, language, standing, device, listed: factors.all, action: seen.action },
      hidden: html`${tokenField}${aboutField(standing)}${seen.turn}`,
    });
  }

  private textOf(visit: PageVisit, problem: PasswordProblem): string {
    return problem.is === 'wrongPassword'
      ? visit.say('approve.wrongPassword')
      : this.deps.problems.textOf(visit, problem);
  }
}
