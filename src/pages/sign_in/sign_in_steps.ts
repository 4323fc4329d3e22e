import type { Factors } from '../../factors/factors.ts';
import type { Answer } from '../../http/answer.ts';
import type { Form } from '../../http/form.ts';
import type { PageCodesUsedUp, PageDoor, PageStanding } from '../../login/page_door.ts';
import type { Outcome } from '../../matrix/outcome.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { type Clock, SECOND } from '../../system/clock.ts';
import { hasSentCode, readSentCode } from '../forms/fields.ts';
import { refusedCode } from '../forms/form_page.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import type { AccountEntry } from './account_entry.ts';
import type { ProviderRounds } from './provider_rounds.ts';
import { type RedirectTarget, type RedirectTargets, withLoginToken } from './redirect_targets.ts';
import { isSetUpForm, type SignInSetUp } from './sign_in_set_up.ts';
import { heldBy, type Next, type SignInProblem, type SignInVisit } from './sign_in_visit.ts';

/** No user id is longer (appendices, "User Identifiers"); e-mail addresses and passwords are allowed more. */
const LONGEST_NAME = 320;
const LONGEST_PASSWORD = 4096;

const SESSION_OVER: Outcome = { is: 'refused', reason: 'session' };

export interface SignInStepsDeps {
  readonly door: PageDoor;
  readonly targets: RedirectTargets;
  readonly rounds: ProviderRounds;
  readonly browsers: KnownBrowser;
  readonly factors: Factors;
  readonly setUp: SignInSetUp;
  readonly entry: AccountEntry;
  readonly clock: Clock;
}

/** What the forms of the sign-in page come to. Each is given here once: its turn was taken. */
export class SignInSteps {
  constructor(private readonly deps: SignInStepsDeps) {}

  /** @throws Refusal what no form tells of */
  async take(visit: PageVisit, state: SignInVisit, form: Form): Promise<Next> {
    if (state.step === 'credentials') return this.takeCredentials(visit, state, form);
    if (state.step !== 'held') return { state };
    const standing = state.held && (await this.deps.door.find(state.held.id));
    if (standing === undefined) return this.over(state);
    const cleared = { ...state, problem: undefined };
    if (isSetUpForm(form)) return this.takeSetUp(visit, cleared, standing, form);
    if (standing.codeWanted) {
      return hasSentCode(form, this.deps.factors) ? this.takeCode(visit, cleared, standing, form) : { state };
    }
    return this.takeDecision(visit, cleared, form.get('decision'));
  }

  /** The way on after the password, or the provider, was right. */
  async goOn(visit: PageVisit, before: SignInVisit, standing: PageStanding): Promise<Next> {
    const state: SignInVisit = { ...before, step: 'held', held: heldBy(standing) };
    if (this.deps.setUp.isNext(state, standing)) {
      return { state, outcome: { is: 'challenged', reason: 'enrolment' } };
    }
    if (standing.codeWanted) return { state, outcome: { is: 'challenged', reason: 'factor' } };
    const target = this.deps.targets.read(state.target);
    if (target?.kind === 'account') return this.enter(visit, state, target);
    // After a sign-in with a recovery code the page says first what to do about the lost phone.
    const mayPass =
      standing.recoveryCodesLeft === undefined && target !== undefined && this.deps.targets.isListed(target);
    return mayPass ? this.finish(visit, state, standing.id) : { state };
  }

  private async takeCredentials(visit: PageVisit, before: SignInVisit, form: Form): Promise<Next> {
    const { door, browsers } = this.deps;
    const name = (form.get('user') ?? '').trim().slice(0, LONGEST_NAME + 1);
    const password = form.get('password') ?? '';
    const state: SignInVisit = { ...before, name, problem: undefined };
    if (name === '') return missing(state, 'missingUser');
    if (password === '') return missing(state, 'missingPassword');
    if (name.length > LONGEST_NAME || password.length > LONGEST_PASSWORD) {
      return this.refuse(state, new Refusal('login_refused'));
    }
    try {
      const browser = browsers.valueFor(visit.request);
      const credentials = { name, password, browser, redirectUrl: state.target };
      const { standing, appended } = await door.begin(visit.request, credentials);
      const next = await this.goOn(visit, state, standing);
      if (appended === 'accepted') return { ...next, mark: browser };
      if (appended === 'refused') return wrongCode(visit, next.state, 'totp');
      return appended === undefined ? next : this.refuseCode(next.state, 'totp', appended);
    } catch (error) {
      return this.refuse(state, error);
    }
  }

  /** @throws the error, if it is not about what was typed */
  private refuse(state: SignInVisit, error: unknown): Next {
    if (!(error instanceof Refusal)) throw error;
    const { outcome } = error;
    if (error.refusal === 'login_refused') return { state: { ...state, problem: { is: 'wrong' } }, outcome };
    if (error.refusal === 'hold_ended') return this.end(state, 'changed');
    if (error.status === 429) {
      const isServers = outcome.is === 'limited' && outcome.reason === 'homeserver';
      const until = this.untilOf(error);
      return {
        state: { ...state, problem: { is: isServers ? 'limitedByServer' : 'limited', until } },
        outcome,
      };
    }
    return this.away(state, error);
  }

  /** The homeserver is away: the form is shown again. @throws Refusal if it is not that */
  private away(state: SignInVisit, error: unknown): Next {
    if (!(error instanceof Refusal) || error.status < 500) throw error;
    return { state: { ...state, problem: { is: 'down' } }, outcome: error.outcome };
  }

  private async takeCode(
    visit: PageVisit,
    state: SignInVisit,
    { id }: PageStanding,
    form: Form,
  ): Promise<Next> {
    const { door, browsers, factors } = this.deps;
    const { kind, typed } = readSentCode(form, factors);
    try {
      const browser = browsers.valueFor(visit.request);
      const outcome = await door.submitCode(visit.request, id, { code: typed, kind, browser });
      if (outcome === undefined) return await this.over(state);
      switch (outcome.kind) {
        case 'accepted':
          return { ...(await this.goOn(visit, state, outcome.standing)), mark: browser };
        case 'refused':
          return wrongCode(visit, state, kind);
        case 'missing':
          return missing(state, 'missing', kind);
        case 'used_up':
          return this.tooMany(visit, state, outcome);
      }
    } catch (error) {
      return error instanceof Refusal && error.status === 429
        ? this.refuseCode(state, kind, error)
        : this.away(state, error);
    }
  }

  private refuseCode(state: SignInVisit, kind: string, refusal: Refusal): Next {
    const problem: SignInProblem =
      refusal.refusal === 'totp_shut'
        ? { is: 'shut', kind }
        : { is: 'wait', kind, until: this.untilOf(refusal) };
    return { state: { ...state, problem }, outcome: refusal.outcome };
  }

  private tooMany({ request }: PageVisit, state: SignInVisit, { waitMs }: PageCodesUsedUp): Next {
    const ended = { cause: 'tooMany', until: this.deps.clock.now() + waitMs } as const;
    return { state: { ...state, step: 'ended', ended }, outcome: refusedCode(request).outcome };
  }

  private async takeSetUp(
    visit: PageVisit,
    state: SignInVisit,
    standing: PageStanding,
    form: Form,
  ): Promise<Next> {
    const { setUp, door } = this.deps;
    try {
      const taken = await setUp.take(visit, state, standing, form);
      if (taken === undefined) return await this.over(state);
      const now = taken.held && (await door.find(taken.held.id));
      return now === undefined ? await this.over(taken) : await this.goOn(visit, taken, now);
    } catch (error) {
      return this.away(state, error);
    }
  }

  private async takeDecision(
    visit: PageVisit,
    state: SignInVisit,
    decision: string | undefined,
  ): Promise<Next> {
    const id = state.held?.id ?? '';
    if (decision === 'deny') {
      await this.deps.door.cancel(id);
      return { state: { ...state, step: 'cancelled' } };
    }
    if (decision !== 'allow') return { state };
    try {
      return await this.finish(visit, state, id);
    } catch (error) {
      return this.refuse(state, error);
    }
  }

  /** On the account page: the browser gets the cookie of a page session. */
  private async enter(visit: PageVisit, state: SignInVisit, target: RedirectTarget): Promise<Next> {
    const deviceName = visit.say('account.deviceName');
    const id = state.held?.id ?? '';
    const answer = await this.deps.entry.enter(visit.request, id, { target, deviceName });
    return answer === undefined ? this.over(state) : { state: { ...state, step: 'finished' }, answer };
  }

  /** The target is the one that the sign-in began with, whatever the last form says (attack 69). */
  private async finish({ request }: PageVisit, before: SignInVisit, id: string): Promise<Next> {
    const { door, rounds, targets } = this.deps;
    const ticket = await door.issueTicket(request, id);
    if (ticket === undefined) return this.over(before);
    if (ticket.kind === 'changed') return this.end(before, 'changed');
    const state: SignInVisit = { ...before, step: 'finished' };
    if (ticket.kind === 'provider')
      return { state, answer: await rounds.again(request, ticket.provider, id) };
    const target = targets.read(ticket.redirectUrl);
    return target === undefined
      ? this.end(before, 'expired')
      : { state, answer: backToClient(target, ticket.loginToken) };
  }

  /** The sign-in is not there any more. */
  private async over(state: SignInVisit): Promise<Next> {
    const isChanged = state.held !== undefined && (await this.deps.door.isChanged(state.held));
    return this.end(state, isChanged ? 'changed' : 'expired');
  }

  private end(state: SignInVisit, cause: 'changed' | 'expired'): Next {
    return { state: { ...state, step: 'ended', ended: { cause, until: 0 } }, outcome: SESSION_OVER };
  }

  private untilOf({ retryAfterMs }: Refusal): number {
    return this.deps.clock.now() + (retryAfterMs ?? SECOND);
  }
}

function wrongCode({ request }: PageVisit, state: SignInVisit, kind: string): Next {
  return { state: { ...state, problem: { is: 'refused', kind } }, outcome: refusedCode(request).outcome };
}

/** Nothing was typed: nothing was judged or counted. */
function missing(state: SignInVisit, is: 'missing' | 'missingUser' | 'missingPassword', kind = 'totp'): Next {
  const problem: SignInProblem = is === 'missing' ? { is, kind } : { is };
  return { state: { ...state, problem }, outcome: new Refusal('missing_param').outcome };
}

/** Sends the browser back to its client. */
export function backToClient(target: RedirectTarget, loginToken: string): Answer {
  return seeOther(withLoginToken(target, loginToken));
}

/** Sends the browser on, with a GET. */
export function seeOther(location: string): Answer {
  return {
    status: 303,
    headers: {
      Location: location,
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
      'Content-Type': 'text/plain',
    },
    sameOrigin: true,
    body: Buffer.alloc(0),
  };
}
