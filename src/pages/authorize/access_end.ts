import type { Answer } from '../../http/answer.ts';
import type { AccessGiven, AskedByApp, PageAccess } from '../../login/page_access.ts';
import { addressBack, goesByItself } from '../../oauth/authorization_answer.ts';
import type { AuthorizationRequest, AuthorizationRequests } from '../../oauth/authorization_request.ts';
import { type Clock, MINUTE } from '../../system/clock.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import type { ProviderRounds } from '../sign_in/provider_rounds.ts';
import { queryOf, type RedirectTarget, type RedirectTargets } from '../sign_in/redirect_targets.ts';
import { end, type Next, type SignInVisit } from '../sign_in/sign_in_visit.ts';
import type { AccessViews } from './access_views.ts';

/** As long as a code is good. */
const SHOWN_MS = 2 * MINUTE;

export interface AccessEndDeps {
  readonly requests: AuthorizationRequests;
  readonly access: PageAccess;
  readonly views: AccessViews;
  readonly rounds: ProviderRounds;
  readonly targets: RedirectTargets;
  readonly clock: Clock;
}

/** The end of a sign-in for an app that asks for access: the app gets an authorization code, or is told that it does not. */
export class AccessEnd {
  constructor(private readonly deps: AccessEndDeps) {}

  /** The page that tells what is wrong with a request; undefined if nothing is, or it is none. Judged at each form. */
  async faultOf(visit: PageVisit, target: RedirectTarget): Promise<Answer | undefined> {
    if (target.kind !== 'authorize') return undefined;
    const judged = await this.deps.requests.judge(queryOf(target));
    return judged.is === 'fine' ? undefined : this.deps.views.fault(visit, judged);
  }

  /** Whether the device that is asked for is there, by the homeserver's word. */
  async endsDevice({ request }: PageVisit, { held }: SignInVisit, target: RedirectTarget) {
    const asked = await this.askedBy(target);
    return asked && held && this.deps.access.hasDevice(request.client, held.id, asked.scope.deviceId);
  }

  /** Undefined: the sign-in is not there any more. */
  async allow(visit: PageVisit, state: SignInVisit, target: RedirectTarget): Promise<Next | undefined> {
    const asked = await this.askedBy(target);
    if (asked === undefined) return end(state, 'changed');
    const given = await this.given(visit, state, accessOf(asked));
    if (given === undefined) return undefined;
    if (given.is === 'changed') return end(state, 'changed');
    if (given.is === 'code') return this.leaving(state, asked, given.code);
    const answer = await this.deps.rounds.again(visit.request, given.provider, state.held?.id ?? '');
    return { state: { ...state, step: 'finished' }, answer };
  }

  /** The app is told that it gets no access. */
  async deny({ request }: PageVisit, before: SignInVisit, target: RedirectTarget): Promise<Next> {
    const state: SignInVisit = { ...before, step: 'cancelled' };
    const asked = await this.askedBy(target);
    if (asked === undefined) return { state };
    const { access } = this.deps;
    if (state.held !== undefined) await access.deny(request, state.held.id, accessOf(asked));
    else if (state.alone !== undefined)
      await access.denied(request.client, state.alone.userId, accessOf(asked));
    const href = addressBack(asked.back, { error: 'access_denied' });
    const leaving = { ...state, back: { href } };
    return byItself(asked) ? { state: leaving, answer: seeOther(href) } : { state: leaving };
  }

  /**
   * The homeserver's single sign-on sends the browser back after the yes. Undefined if that sign-in was not for an app
   * that asks for access.
   */
  async afterRound(visit: PageVisit, signInId: string, loginToken: string): Promise<Answer | undefined> {
    const { access, targets, views } = this.deps;
    const target = targets.read(await access.redirectUrlOf(signInId));
    if (target?.kind !== 'authorize') return undefined;
    const judged = await this.deps.requests.judge(queryOf(target));
    if (judged.is !== 'fine') return views.fault(visit, judged);
    const asked = judged.request;
    const given = await access.allowByProvider(visit.request, signInId, loginToken, accessOf(asked));
    if (given?.is !== 'code') return visit.fail({ cause: given === undefined ? 'unknown' : 'changed' });
    const href = addressBack(asked.back, { code: given.code });
    return byItself(asked) ? seeOther(href) : views.continueTo(visit, target, href);
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
  private leaving(before: SignInVisit, asked: AuthorizationRequest, code: string): Next {
    const href = addressBack(asked.back, { code });
    const back = { href, until: this.deps.clock.now() + SHOWN_MS };
    const state: SignInVisit = { ...before, step: 'finished', back };
    return byItself(asked) ? { state, answer: seeOther(href) } : { state };
  }

  private async askedBy(target: RedirectTarget): Promise<AuthorizationRequest | undefined> {
    const judged = await this.deps.requests.judge(queryOf(target));
    return judged.is === 'fine' ? judged.request : undefined;
  }
}

function byItself({ back, client }: AuthorizationRequest): boolean {
  return goesByItself(back.redirectUri, client.applicationType);
}

function accessOf({ client, back, scope, challenge, nonce }: AuthorizationRequest): AskedByApp {
  return {
    clientId: client.clientId,
    redirectUri: back.redirectUri,
    scope: scope.granted,
    deviceId: scope.deviceId,
    challenge,
    nonce,
    appName: client.name,
  };
}
