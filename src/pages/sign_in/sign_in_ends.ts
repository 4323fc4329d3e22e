import type { Answer } from '../../http/answer.ts';
import type { PageCodesUsedUp, PageDoor } from '../../login/page_door.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import type { Clock } from '../../system/clock.ts';
import { refusedCode } from '../forms/form_page.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import type { AccountEntry } from './account_entry.ts';
import type { ProviderRounds } from './provider_rounds.ts';
import { type RedirectTarget, type RedirectTargets, withLoginToken } from './redirect_targets.ts';
import type { Next, SignInVisit } from './sign_in_visit.ts';

const SESSION_OVER: Outcome = { is: 'refused', reason: 'session' };

export interface SignInEndsDeps {
  readonly door: PageDoor;
  readonly targets: RedirectTargets;
  readonly rounds: ProviderRounds;
  readonly entry: AccountEntry;
  readonly clock: Clock;
}

/** How a sign-in on a page ends: at the client, on the account page, or with what stands in the way. */
export class SignInEnds {
  constructor(private readonly deps: SignInEndsDeps) {}

  /** On the account page: the browser gets the cookie of a page session. */
  async enter(visit: PageVisit, state: SignInVisit, target: RedirectTarget): Promise<Next> {
    const deviceName = visit.say('account.deviceName');
    const id = state.held?.id ?? '';
    const answer = await this.deps.entry.enter(visit.request, id, { target, deviceName });
    return answer === undefined ? this.over(state) : { state: { ...state, step: 'finished' }, answer };
  }

  /** The target is the one that the sign-in began with, whatever the last form says (attack 69). */
  async finish({ request }: PageVisit, before: SignInVisit, id: string): Promise<Next> {
    const { door, rounds, targets } = this.deps;
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

/** The sign-in is over, for a reason that the page tells. */
export function end(state: SignInVisit, cause: 'changed' | 'expired'): Next {
  return { state: { ...state, step: 'ended', ended: { cause, until: 0 } }, outcome: SESSION_OVER };
}

/** Sends the browser back to its client. */
export function backToClient(target: RedirectTarget, loginToken: string): Answer {
  return seeOther(withLoginToken(target, loginToken));
}
