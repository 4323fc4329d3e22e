import type { Answer } from '../../http/answer.ts';
import type { AccessGiven, AskedByApp, PageAccess, PageAccessDenial } from '../../login/page_access.ts';
import { addressBack, goesByItself } from '../../oauth/authorization_answer.ts';
import type { AuthorizationRequest } from '../../oauth/authorization_request.ts';
import { type Clock, MINUTE } from '../../system/clock.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import type { ProviderRounds } from '../sign_in/provider_rounds.ts';
import { isAccess, type RedirectTarget, type RedirectTargets } from '../sign_in/redirect_targets.ts';
import { end, type Next, type SignInVisit } from '../sign_in/sign_in_visit.ts';
import type { AccessRequest, AccessRequests } from './access_requests.ts';
import type { AccessViews } from './access_views.ts';

/** As long as a code is good. */
const SHOWN_MS = 2 * MINUTE;

export interface AccessEndDeps {
  readonly requests: AccessRequests;
  readonly access: PageAccess;
  readonly denial: PageAccessDenial;
  readonly views: AccessViews;
  readonly rounds: ProviderRounds;
  readonly targets: RedirectTargets;
  readonly clock: Clock;
}

/**
 * The end of a sign-in for what asks for access: an app gets an authorization code, or is told that it does not; a device
 * that waits is let in, or not.
 */
export class AccessEnd {
  constructor(private readonly deps: AccessEndDeps) {}

  /**
   * The page that tells what is wrong with a request; undefined if nothing is wrong, or the target is not such a
   * request. It is judged again at each form.
   */
  async faultOf(visit: PageVisit, target: RedirectTarget): Promise<Answer | undefined> {
    const judged = await this.deps.requests.judge(visit.request, target);
    return judged === undefined || judged.is === 'fine' ? undefined : this.deps.views.fault(visit, judged);
  }

  /** Whether the homeserver says that the user has the device that is asked for. */
  async endsDevice(visit: PageVisit, { held }: SignInVisit, target: RedirectTarget) {
    const found = await this.requestAt(visit, target);
    return found && held && this.deps.access.hasDevice(visit.request.client, held.id, found.asked.deviceId);
  }

  /** Undefined: the sign-in is not there any more. */
  async allow(visit: PageVisit, state: SignInVisit, target: RedirectTarget): Promise<Next | undefined> {
    const found = await this.requestAt(visit, target);
    if (found === undefined) return end(state, 'expired');
    const given = await this.given(visit, state, found.asked);
    if (given === undefined) return undefined;
    if (given.is === 'changed') return end(state, 'changed');
    if (given.is === 'given') return this.done(state, found, given.code);
    const answer = await this.deps.rounds.again(visit.request, given.provider, state.held?.id ?? '');
    return { state: { ...state, step: 'finished' }, answer };
  }

  /** The app is told that it gets no access. */
  async deny(visit: PageVisit, before: SignInVisit, target: RedirectTarget): Promise<Next> {
    const state: SignInVisit = { ...before, step: 'cancelled' };
    const found = await this.requestAt(visit, target);
    if (found === undefined) return { state };
    const { denial } = this.deps;
    const { request } = visit;
    if (state.held !== undefined) await denial.deny(request, state.held.id, found.asked);
    else if (state.alone !== undefined) await denial.denied(request.client, state.alone.userId, found.asked);
    if (found.by === 'device') return { state };
    const href = addressBack(found.request.back, { error: 'access_denied' });
    return leaving({ ...state, back: { href } }, found.request, href);
  }

  /**
   * The homeserver's single sign-on sends the browser back after the yes. Undefined if that sign-in was for nothing that
   * asks for access.
   */
  async afterRound(visit: PageVisit, signInId: string, loginToken: string): Promise<Answer | undefined> {
    const { access, targets, views } = this.deps;
    const target = targets.read(await access.redirectUrlOf(signInId));
    const judged = target && (await this.deps.requests.judge(visit.request, target));
    if (target === undefined || judged === undefined) return undefined;
    if (judged.is !== 'fine') return views.fault(visit, judged);
    const found = judged.access;
    const given = await access.allowByProvider(visit.request, signInId, loginToken, found.asked);
    if (given?.is !== 'given') return visit.fail({ cause: given === undefined ? 'unknown' : 'changed' });
    if (found.by === 'device' || given.code === undefined) return views.linked(visit);
    const href = addressBack(found.request.back, { code: given.code });
    return byItself(found.request) ? seeOther(href) : views.continueTo(visit, target, href);
  }

  private given(
    { request }: PageVisit,
    { held, alone }: SignInVisit,
    asked: AskedByApp,
  ): Promise<AccessGiven> {
    const { access } = this.deps;
    if (alone !== undefined) return access.allowAlone(request, alone, asked);
    return access.allow(request, held?.id ?? '', asked);
  }

  /** The visit keeps the address: a form that was sent twice shows it, and so does a reload. */
  private done(before: SignInVisit, found: AccessRequest, code: string | undefined): Next {
    const state: SignInVisit = { ...before, step: 'finished' };
    if (found.by === 'device' || code === undefined) return { state };
    const href = addressBack(found.request.back, { code });
    const back = { href, until: this.deps.clock.now() + SHOWN_MS };
    return leaving({ ...state, back }, found.request, href);
  }

  private async requestAt(
    { request }: PageVisit,
    target: RedirectTarget,
  ): Promise<AccessRequest | undefined> {
    const judged = isAccess(target) ? await this.deps.requests.judge(request, target) : undefined;
    return judged?.is === 'fine' ? judged.access : undefined;
  }
}

/** Redirects the browser where the address of the app allows it; for other addresses the visit shows a link. */
function leaving(state: SignInVisit, asked: AuthorizationRequest, href: string): Next {
  return byItself(asked) ? { state, answer: seeOther(href) } : { state };
}

function byItself({ back, client }: AuthorizationRequest): boolean {
  return goesByItself(back.redirectUri, client.applicationType);
}
