import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { StoreUnavailable } from '../../storage/errors.ts';
import { hashSessionId } from '../../uia/session.ts';
import type { AccessEnd } from '../authorize/access_end.ts';
import { requestField } from '../authorize/access_request.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import { seeOther } from '../forms/see_other.ts';
import { turnIn, type Visit, type Visits } from '../forms/visits.ts';
import type { Html } from '../shell/html.ts';
import { askedLocales } from '../texts/language.ts';
import { type Place, placeOf, replaceAddress, signInPageFor, visitAddress, type Way } from './addresses.ts';
import type { RedirectTarget, RedirectTargets } from './redirect_targets.ts';
import type { BesideForm } from './sign_in_forms.ts';
import type { SignInSteps } from './sign_in_steps.ts';
import type { SignInViews } from './sign_in_views.ts';
import type { Next, SignInVisit } from './sign_in_visit.ts';

export interface SignInPageDeps {
  readonly pages: FormPages;
  readonly targets: RedirectTargets;
  readonly browsers: KnownBrowser;
  readonly visits: Visits<SignInVisit>;
  readonly steps: SignInSteps;
  readonly views: SignInViews;
  /** Undefined where apps cannot ask for access. */
  readonly access: Pick<AccessEnd, 'faultOf'> | undefined;
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
      const seen = await this.seen(request, 'login');
      if (seen !== undefined) return views.of(visit, seen);
      const redirectUrl = request.query.get('redirectUrl');
      if (request.query.has('v') && redirectUrl === undefined) return visit.fail({ cause: 'unknown' });
      const target = targets.read(redirectUrl);
      return target === undefined
        ? visit.fail({ cause: 'link' })
        : views.forms.first(visit, target, visits.newId());
    });
  }

  /** `GET /_2fa/login/replace`: the authenticator is lost. It changes nothing, either. */
  showReplacement(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const asked = (await this.seen(request, 'authorize')) ?? (await this.seen(request, 'link'));
      if (asked === undefined) this.requireOffered();
      const seen = asked ?? (await this.seen(request, 'login'));
      return seen === undefined ? visit.fail({ cause: 'unknown' }) : this.deps.views.replacing(visit, seen);
    });
  }

  /** The same on another page, where its address names a visit: undefined for its first page. */
  async showOn(place: Place, visit: PageVisit, beside: BesideForm): Promise<Answer | undefined> {
    const { request } = visit;
    if (!request.query.has('v')) return undefined;
    const seen = await this.seen(request, place);
    return seen === undefined ? visit.fail({ cause: 'unknown' }) : this.deps.views.of(visit, seen, beside);
  }

  /** The first page of an app that asks for access. @param target that was judged @param name that the app knows */
  showRequest(
    visit: PageVisit,
    target: RedirectTarget,
    name: string | undefined,
    beside: BesideForm,
  ): Answer {
    return this.deps.views.forms.first(visit, target, this.deps.visits.newId(), { name, beside });
  }

  /** The first card of the account page. */
  accountCard(
    visit: PageVisit,
    beside: BesideForm,
    form: { readonly tokenField: Html; readonly token: string },
  ): Html {
    const { views, visits } = this.deps;
    return views.forms.firstCard(visit, this.accountTarget(visit.request), visits.newId(), beside, form);
  }

  /**
   * `POST`: a form.
   * @param place where it came to; all but the sign-in page are there whether or not that is offered to clients
   */
  submit(request: ClientRequest, place: Place = 'login'): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      if (place === 'login') this.requireOffered();
      const form = await visit.readForm();
      const id = request.query.get('v') ?? '';
      const turn = turnIn(form);
      const target = this.targetAt(place, request, form);
      if (turn === 0 && target === undefined) return visit.fail({ cause: 'link' });
      const taken = await this.take(request, id, turn, target);
      if (taken !== undefined) return this.judge(visit, taken, form);
      const seen = await this.seen(request, place);
      return seen === undefined ? visit.fail({ cause: 'unknown' }) : seeOther(this.addressOf(seen));
    });
  }

  /** Begins at what comes after the homeserver's own single sign-on has said who it is. */
  async arrive(visit: PageVisit, standing: PageStanding, target: RedirectTarget): Promise<Answer> {
    const { visits, steps } = this.deps;
    const { provider } = standing;
    const fault = await this.deps.access?.faultOf(visit, target);
    if (fault !== undefined) return fault;
    const locales = askedLocales(visit.request);
    const state: SignInVisit = { target: target.href, step: 'held', name: '', provider, locales };
    const taken = await visits.open(visit.request, visits.newId(), state);
    if (taken === undefined) return visit.fail({ cause: 'unknown' });
    return this.lead(taken, await steps.goOn(visit, state, standing));
  }

  /** Where the first form on a page leads. */
  private targetAt(place: Place, request: ClientRequest, form: Form): RedirectTarget | undefined {
    if (place === 'account') return this.accountTarget(request);
    if (place === 'link') return this.deps.targets.link(request.query);
    if (place === 'login') return this.deps.targets.read(request.query.get('redirectUrl'));
    const asked = requestField(form);
    return asked === undefined ? undefined : this.deps.targets.authorize(asked);
  }

  private accountTarget({ query }: ClientRequest): RedirectTarget {
    const kept = new URLSearchParams([...query].filter(([name]) => name !== 'v'));
    const search = kept.toString();
    return this.deps.targets.account(search === '' ? '' : `?${search}`);
  }

  /** The visit that the address names; undefined if it is of another page. */
  private async seen(request: ClientRequest, place: Place): Promise<Visit<SignInVisit> | undefined> {
    const found = await this.deps.visits.find(request, request.query.get('v') ?? '');
    return found !== undefined && this.placeOf(found) === place ? found : undefined;
  }

  private placeOf({ state }: Visit<SignInVisit>): Place {
    const target = this.deps.targets.read(state.target);
    return target === undefined ? 'login' : placeOf(target);
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
    const { visits, steps, targets, access } = this.deps;
    const before = { state: taken.state, held: heldIn(taken.state) };
    const target = targets.read(taken.state.target);
    const fault = target && (await access?.faultOf(visit, target));
    if (fault !== undefined) {
      await visits.keep(taken, before);
      return fault;
    }
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
