import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import type { PageStanding } from '../../login/page_door.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { StoreUnavailable } from '../../storage/errors.ts';
import { hashSessionId } from '../../uia/session_id.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import { seeOther } from '../forms/see_other.ts';
import { turnIn, type Visit, type Visits } from '../forms/visits.ts';
import type { Html } from '../shell/html.ts';
import { askedLocales } from '../texts/language.ts';
import { replaceAddress, signInPageFor, visitAddress, type Way } from './addresses.ts';
import type { RedirectTarget, RedirectTargets } from './redirect_targets.ts';
import type { SignInSteps } from './sign_in_steps.ts';
import type { BesideForm, SignInViews } from './sign_in_views.ts';
import type { Next, SignInVisit } from './sign_in_visit.ts';

export interface SignInPageDeps {
  readonly pages: FormPages;
  readonly targets: RedirectTargets;
  readonly browsers: KnownBrowser;
  readonly visits: Visits<SignInVisit>;
  readonly steps: SignInSteps;
  readonly views: SignInViews;
}

/**
 * `/_2fa/login` (spec/login.md): password, code, confirmation, and back to the client with a login token. A form is
 * judged once and answered with a redirect, to where its visit stands or to the client.
 */
export class SignInPage {
  constructor(
    private readonly deps: SignInPageDeps,
    /** Whether the operator offers this page. */
    private readonly isOffered: boolean,
  ) {}

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      this.requireOffered();
      const { visits, targets, views } = this.deps;
      const seen = await this.seen(request, false);
      if (seen !== undefined) return views.of(visit, seen);
      const redirectUrl = request.query.get('redirectUrl');
      if (request.query.has('v') && redirectUrl === undefined) return visit.fail({ cause: 'unknown' });
      const target = targets.read(redirectUrl);
      return target === undefined
        ? visit.fail({ cause: 'link' })
        : views.first(visit, target, visits.newId());
    });
  }

  /** `GET /_2fa/login/replace`: the authenticator is lost. It changes nothing, either. */
  showReplacement(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      this.requireOffered();
      const seen = await this.seen(request, false);
      return seen === undefined ? visit.fail({ cause: 'unknown' }) : this.deps.views.replacing(visit, seen);
    });
  }

  /** The same on the account page, where its address names a visit: undefined for its first page. */
  async showOnAccountPage(visit: PageVisit, beside: BesideForm): Promise<Answer | undefined> {
    const { request } = visit;
    if (!request.query.has('v')) return undefined;
    const seen = await this.seen(request, true);
    return seen === undefined ? visit.fail({ cause: 'unknown' }) : this.deps.views.of(visit, seen, beside);
  }

  /** The first card of the account page. */
  accountCard(
    visit: PageVisit,
    beside: BesideForm,
    form: { readonly tokenField: Html; readonly token: string },
  ): Html {
    const { views, visits } = this.deps;
    return views.firstCard(visit, this.accountTarget(visit.request), visits.newId(), beside, form);
  }

  /**
   * `POST`: a form.
   * @param isAccount it came to the account page, which is there whether or not the sign-in page is offered to clients
   */
  submit(request: ClientRequest, isAccount = false): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      if (!isAccount) this.requireOffered();
      const form = await visit.readForm();
      const id = request.query.get('v') ?? '';
      const turn = turnIn(form);
      const target = isAccount
        ? this.accountTarget(request)
        : this.deps.targets.read(request.query.get('redirectUrl'));
      if (turn === 0 && target === undefined) return visit.fail({ cause: 'link' });
      const taken = await this.take(request, id, turn, target);
      if (taken !== undefined) return this.judge(visit, taken, form);
      const seen = await this.seen(request, isAccount);
      return seen === undefined ? visit.fail({ cause: 'unknown' }) : seeOther(this.addressOf(seen));
    });
  }

  /** Begins at what comes after the homeserver's own single sign-on has said who it is. */
  async arrive(visit: PageVisit, standing: PageStanding, target: RedirectTarget): Promise<Answer> {
    const { visits, steps } = this.deps;
    const { provider } = standing;
    const locales = askedLocales(visit.request);
    const state: SignInVisit = { target: target.href, step: 'held', name: '', provider, locales };
    const taken = await visits.open(visit.request, visits.newId(), state);
    if (taken === undefined) return visit.fail({ cause: 'unknown' });
    return this.lead(taken, await steps.goOn(visit, state, standing));
  }

  private accountTarget({ query }: ClientRequest): RedirectTarget {
    const kept = new URLSearchParams([...query].filter(([name]) => name !== 'v'));
    const search = kept.toString();
    return this.deps.targets.account(search === '' ? '' : `?${search}`);
  }

  /** The visit that the address names; undefined if it is of the other page. */
  private async seen(request: ClientRequest, isAccount: boolean): Promise<Visit<SignInVisit> | undefined> {
    const found = await this.deps.visits.find(request, request.query.get('v') ?? '');
    return found !== undefined && this.isOfAccount(found) === isAccount ? found : undefined;
  }

  private isOfAccount({ state }: Visit<SignInVisit>): boolean {
    return this.deps.targets.read(state.target)?.kind === 'account';
  }

  private addressOf({ id, state }: Visit<SignInVisit>): string {
    const target = this.deps.targets.read(state.target);
    if (target === undefined) return signInPageFor(undefined, state.locales);
    const way: Way = { target, locales: state.locales };
    return state.step === 'held' && state.replacement !== undefined
      ? replaceAddress(way, id)
      : visitAddress(way, id);
  }

  private requireOffered(): void {
    if (!this.isOffered) throw new Refusal('unrecognized');
  }

  private take(
    request: ClientRequest,
    id: string,
    turn: number,
    target: RedirectTarget | undefined,
  ): Promise<Visit<SignInVisit> | undefined> {
    const { visits } = this.deps;
    if (turn !== 0 || target === undefined) return visits.take(request, id, turn);
    const locales = askedLocales(request);
    return visits.open(request, id, { target: target.href, step: 'credentials', name: '', locales });
  }

  private async judge(visit: PageVisit, taken: Visit<SignInVisit>, form: Form): Promise<Answer> {
    const { visits, steps } = this.deps;
    const before = { state: taken.state, held: heldIn(taken.state) };
    const next = await visits.judge(visit, taken, before, (unhurried) =>
      steps.take(unhurried, taken.state, form),
    );
    return this.lead(taken, next);
  }

  /** Keeps what a form came to, and sends the browser on. */
  private async lead(taken: Visit<SignInVisit>, { state, answer, outcome, mark }: Next): Promise<Answer> {
    await this.keep(taken, state, answer !== undefined);
    const leading = answer ?? {
      ...seeOther(this.addressOf({ ...taken, state })),
      ...(outcome && { outcome }),
    };
    return mark === undefined ? leading : this.deps.browsers.kept(mark, leading);
  }

  /** @param isDone the client gets what it came for, whatever becomes of the visit */
  private async keep(taken: Visit<SignInVisit>, state: SignInVisit, isDone: boolean): Promise<void> {
    try {
      await this.deps.visits.keep(taken, { state, held: heldIn(state) });
    } catch (error) {
      if (!isDone || !(error instanceof StoreUnavailable)) throw error;
    }
  }
}

function heldIn({ step, held }: SignInVisit) {
  return step !== 'held' || held === undefined
    ? undefined
    : { sessionHash: hashSessionId(held.id), endsAt: held.endsAt };
}
