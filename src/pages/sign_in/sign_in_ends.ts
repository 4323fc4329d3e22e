import type { Answer } from '../../http/answer.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageCodesUsedUp, PageStanding } from '../../login/page_standing.ts';
import type { Clock } from '../../system/clock.ts';
import type { AccessEnd } from '../authorize/access_end.ts';
import { refusedCode } from '../forms/form_page.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import type { AccountEntry } from './account_entry.ts';
import type { ProviderRounds } from './provider_rounds.ts';
import { isAccess, type RedirectTarget, type RedirectTargets, withLoginToken } from './redirect_targets.ts';
import type { SignInSetUp } from './sign_in_set_up.ts';
import { end, heldBy, type Next, type SignInVisit } from './sign_in_visit.ts';

export interface SignInEndsDeps {
  readonly door: PageSignIn;
  readonly targets: RedirectTargets;
  readonly rounds: ProviderRounds;
  readonly entry: AccountEntry;
  readonly setUp: SignInSetUp;
  /** Undefined where apps cannot ask for access. */
  readonly access: AccessEnd | undefined;
  readonly clock: Clock;
}

/** Where a sign-in on a page goes on, and how it ends: at the client, on the account page, or with what stands in the way. */
export class SignInEnds {
  constructor(private readonly deps: SignInEndsDeps) {}

  /** The way on after the password, or the provider, was right. */
  async goOn(visit: PageVisit, before: SignInVisit, standing: PageStanding): Promise<Next> {
    const { targets, setUp } = this.deps;
    const state: SignInVisit = { ...before, step: 'held', held: heldBy(standing) };
    if (setUp.isNext(state, standing)) {
      return { state, outcome: { is: 'challenged', reason: 'enrolment' } };
    }
    if (standing.codeWanted) return { state, outcome: { is: 'challenged', reason: 'factor' } };
    const target = targets.read(state.target);
    if (target?.kind === 'account') return this.enter(visit, state, target);
    if (target !== undefined && isAccess(target)) return this.ask(visit, state, target);
    // After a sign-in with a recovery code the page says first what to do about the lost phone.
    const mayPass =
      standing.recoveryCodesLeft === undefined && target !== undefined && targets.isListed(target);
    return mayPass ? this.finish(visit, state, standing.id) : { state };
  }

  /** On the account page: the browser gets the cookie of a page session. */
  private async enter(visit: PageVisit, state: SignInVisit, target: RedirectTarget): Promise<Next> {
    const deviceName = visit.say('account.deviceName');
    const id = state.held?.id ?? '';
    const answer = await this.deps.entry.enter(visit.request, id, { target, deviceName });
    return answer === undefined ? this.over(state) : { state: { ...state, step: 'finished' }, answer };
  }

  /** For an app that asks for access: what its user is told before they say yes. */
  private async ask(visit: PageVisit, state: SignInVisit, target: RedirectTarget): Promise<Next> {
    return { state: { ...state, endsDevice: await this.deps.access?.endsDevice(visit, state, target) } };
  }

  /** Its user says no: the held login ends, and an app that asked for access is told. */
  async deny(visit: PageVisit, state: SignInVisit): Promise<Next> {
    const target = this.deps.targets.read(state.target);
    if (target !== undefined && isAccess(target) && this.deps.access !== undefined)
      return this.deps.access.deny(visit, state, target);
    await this.deps.door.cancel(state.held?.id ?? '');
    return { state: { ...state, step: 'cancelled' } };
  }

  /** The target is the one that the sign-in began with, whatever the last form says (attack 69). */
  async finish(visit: PageVisit, before: SignInVisit, id: string): Promise<Next> {
    const { door, rounds, targets, access } = this.deps;
    const { request } = visit;
    const asked = targets.read(before.target);
    if (asked !== undefined && isAccess(asked) && access !== undefined) {
      return (await access.allow(visit, before, asked)) ?? this.over(before);
    }
    const ticket = await door.issueTicket(request, id);
    if (ticket === undefined) return this.over(before);
    if (ticket.kind === 'changed') return end(before, 'changed');
    const state: SignInVisit = { ...before, step: 'finished' };
    if (ticket.kind === 'provider')
      return { state, answer: await rounds.again(request, ticket.provider, id) };
    const target = targets.read(ticket.redirectUrl);
    return target === undefined
      ? end(before, 'expired')
      : { state, answer: backToClient(target, ticket.loginToken) };
  }

  /** The sign-in is not there any more. */
  async over(state: SignInVisit): Promise<Next> {
    const isChanged = state.held !== undefined && (await this.deps.door.isChanged(state.held));
    return end(state, isChanged ? 'changed' : 'expired');
  }

  /** The last code that it could take was wrong. */
  tooMany({ request }: PageVisit, state: SignInVisit, { waitMs }: PageCodesUsedUp): Next {
    const ended = { cause: 'tooMany', until: this.deps.clock.now() + waitMs } as const;
    return { state: { ...state, step: 'ended', ended }, outcome: refusedCode(request).outcome };
  }
}

/** Sends the browser back to its client. */
export function backToClient(target: RedirectTarget, loginToken: string): Answer {
  return seeOther(withLoginToken(target, loginToken));
}
