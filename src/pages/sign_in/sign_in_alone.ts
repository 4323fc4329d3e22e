import type { SignInFactor } from '../../factors/factors.ts';
import type { Form } from '../../http/form.ts';
import type { LoneLogin } from '../../login/lone_login.ts';
import type { LoneSignIn } from '../../login/lone_sign_in.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { Passes } from '../../second_factor/passes.ts';
import { type Clock, MINUTE } from '../../system/clock.ts';
import type { AccessEnd } from '../authorize/access_end.ts';
import { refusedCode } from '../forms/form_page.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { FORM_TOKEN } from '../forms/form_tokens.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import { turnIn } from '../forms/visits.ts';
import { type Html, html } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';
import type { AccountEntry } from './account_entry.ts';
import type { AskingForm, LoneQuestions } from './lone_questions.ts';
import { isAccess, type RedirectTarget, type RedirectTargets } from './redirect_targets.ts';
import { backToClient } from './sign_in_ends.ts';
import { end, type Next, type SignInVisit } from './sign_in_visit.ts';

/** The field with the question that the browser was asked. */
const QUESTION = 'question';

/** How long one who was accepted may take to say yes. */
const DECISION_MS = 10 * MINUTE;

export interface SignInAloneDeps {
  readonly factor: SignInFactor;
  readonly questions: LoneQuestions;
  readonly door: LoneSignIn;
  readonly login: LoneLogin;
  readonly passes: Pick<Passes, 'issueAlone'>;
  readonly clock: Clock;
  readonly pages: {
    readonly targets: RedirectTargets;
    readonly browsers: KnownBrowser;
    readonly entry: AccountEntry;
    /** Undefined where apps cannot ask for access. */
    readonly access: AccessEnd | undefined;
  };
}

/** The sign-in by a factor alone, on the sign-in page and on the account page. */
export class SignInAlone {
  constructor(private readonly deps: SignInAloneDeps) {}

  /** The form beside that for the password, with a question for it alone. */
  form(
    { say }: PageVisit,
    asking: AskingForm,
    form: { readonly hidden: Html; readonly action: string },
  ): Html {
    const { factor, questions } = this.deps;
    const question = questions.ask(asking);
    return loneForm({
      ...{ say, ...form, field: factor.page.field },
      question: question.toString('base64url'),
      params: Object(factor.alone.paramsFor(question).public_key),
    });
  }

  /** Whether a form was that one. */
  isSent(form: Form): boolean {
    return form.has(QUESTION) && form.has(this.deps.factor.page.field);
  }

  /** All that is not right is one and the same. @throws Refusal limit_exceeded */
  async take(visit: PageVisit, state: SignInVisit, form: Form): Promise<Next> {
    const { factor, door, pages } = this.deps;
    const { request } = visit;
    const question = this.questionIn(visit, form);
    const proof = factor.page.read(form.get(factor.page.field) ?? '');
    const browser = pages.browsers.valueFor(request);
    const accepted =
      question === undefined || proof === undefined
        ? undefined
        : await door.take(request, { question, proof, browser });
    if (accepted === undefined) {
      return { state: { ...state, problem: { is: 'refusedAlone' } }, outcome: refusedCode(request).outcome };
    }
    const alone = { ...accepted, endsAt: this.deps.clock.now() + DECISION_MS };
    const next = await this.goOn(visit, { ...state, step: 'accepted', alone });
    return { ...next, mark: browser };
  }

  /** What one who was accepted answers to the question who gets access. */
  async decide(visit: PageVisit, state: SignInVisit, decision: string | undefined): Promise<Next> {
    if (this.isOver(state)) return end(state, 'expired');
    if (decision === 'deny') return this.deny(visit, state);
    return decision === 'allow' ? this.finish(visit, state) : { state };
  }

  private async deny(visit: PageVisit, state: SignInVisit): Promise<Next> {
    const { targets, access } = this.deps.pages;
    const target = targets.read(state.target);
    return target !== undefined && isAccess(target) && access !== undefined
      ? access.deny(visit, state, target)
      : { state: { ...state, step: 'cancelled' } };
  }

  isOver({ alone }: SignInVisit): boolean {
    return alone === undefined || alone.endsAt <= this.deps.clock.now();
  }

  private goOn(visit: PageVisit, state: SignInVisit): Promise<Next> | Next {
    const target = this.deps.pages.targets.read(state.target);
    const asksNothing =
      target?.kind === 'account' || (target !== undefined && this.deps.pages.targets.isListed(target));
    return asksNothing ? this.finish(visit, state) : { state };
  }

  private async finish(visit: PageVisit, state: SignInVisit): Promise<Next> {
    const { targets, access } = this.deps.pages;
    const target = targets.read(state.target);
    if (target !== undefined && isAccess(target) && access !== undefined)
      return (await access.allow(visit, state, target)) ?? end(state, 'expired');
    const loginToken = state.alone && (await this.deps.passes.issueAlone(state.alone));
    if (loginToken === undefined || target === undefined) return end(state, 'changed');
    const finished: SignInVisit = { ...state, step: 'finished' };
    if (target.kind !== 'account') return { state: finished, answer: backToClient(target, loginToken) };
    return this.enter(visit, finished, target, loginToken);
  }

  private async enter(
    visit: PageVisit,
    state: SignInVisit,
    target: RedirectTarget,
    loginToken: string,
  ): Promise<Next> {
    const { login, pages } = this.deps;
    try {
      const cookie = await login.enter(visit.request, loginToken, visit.say('account.deviceName'));
      return { state, answer: pages.entry.entered(target, cookie) };
    } catch (error) {
      if (error instanceof Refusal && error.refusal === 'hold_ended') return end(state, 'changed');
      throw error;
    }
  }

  private questionIn({ request }: PageVisit, form: Form): Buffer | undefined {
    return this.deps.questions.read(form.get(QUESTION) ?? '', {
      token: form.get(FORM_TOKEN) ?? '',
      visit: request.query.get('v') ?? '',
      turn: turnIn(form),
    });
  }
}

/**
 * The button for a sign-in by a passkey alone. The script asks the browser and sends its answer; without it, or where it
 * cannot, there is no dead button but a sentence. Browsers that can offer the passkeys in the field for the name, too.
 */
function loneForm(form: {
  readonly say: Say;
  readonly hidden: Html;
  readonly action: string;
  /** The field for the answer. */
  readonly field: string;
  readonly question: string;
  readonly params: object;
}): Html {
  const { say, hidden, action, field, question, params } = form;
  return html`<form method="post" action="${action}" data-webauthn-options="${JSON.stringify(params)}" data-offered-in-field>
${hidden}
<input type="hidden" name="${QUESTION}" value="${question}">
<input type="hidden" name="${field}">
<p class="muted small" data-unsupported>${say('signIn.passkeyUnsupported')}</p>
<button class="button quiet full" type="button" hidden>${say('signIn.passkey')}</button>
</form>`;
}
