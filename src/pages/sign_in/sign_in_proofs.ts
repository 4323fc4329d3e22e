import type { Factors } from '../../factors/factors.ts';
import type { Form } from '../../http/form.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { type RefusedCredentials, readCredentials } from '../forms/credentials.ts';
import { CODE_FIELD, readSentCode, sentField } from '../forms/fields.ts';
import { refusedCode } from '../forms/form_page.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import type { FormProblems } from '../forms/form_problems.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import type { SignInEnds } from './sign_in_ends.ts';
import { end, type Next, type SignInVisit } from './sign_in_visit.ts';

export interface SignInProofsDeps {
  readonly door: PageSignIn;
  readonly ends: SignInEnds;
  readonly browsers: KnownBrowser;
  readonly factors: Factors;
  readonly problems: FormProblems;
}

/** What a person proves on the sign-in page, the password and the code, and what they are told where it is refused. */
export class SignInProofs {
  constructor(private readonly deps: SignInProofsDeps) {}

  /** Name and password, and the code that may stand behind it. @throws the error, if it is not about what was typed */
  async takeCredentials(visit: PageVisit, before: SignInVisit, form: Form): Promise<Next> {
    const { door, browsers } = this.deps;
    const { name, password, problem } = readCredentials(form);
    const state: SignInVisit = { ...before, name, problem: undefined };
    if (problem !== undefined) return refusedIn(state, problem);
    try {
      const browser = browsers.valueFor(visit.request);
      const credentials = { name, password, browser, redirectUrl: state.target };
      const { standing, appended } = await door.begin(visit.request, credentials);
      const next = await this.deps.ends.goOn(visit, state, standing);
      if (appended === 'accepted') return { ...next, mark: browser };
      if (appended === 'refused') return wrongCode(visit, next.state, CODE_FIELD);
      return appended === undefined ? next : this.refuseCode(next.state, CODE_FIELD, appended);
    } catch (error) {
      return this.refuse(state, error);
    }
  }

  /** @throws the error, if it is not about what was typed */
  refuse(state: SignInVisit, error: unknown): Next {
    if (error instanceof Refusal && error.refusal === 'hold_ended') return end(state, 'changed');
    return refusedIn(state, this.deps.problems.ofPassword(error));
  }

  /** The homeserver is away: the form is shown again. @throws Refusal if it is not that */
  away(state: SignInVisit, error: unknown): Next {
    return refusedIn(state, this.deps.problems.ofServer(error));
  }

  /** Undefined if the form brings no code. @throws the error, if no form tells of it */
  async takeCode(
    visit: PageVisit,
    state: SignInVisit,
    { id }: PageStanding,
    form: Form,
  ): Promise<Next | undefined> {
    const { door, browsers, factors } = this.deps;
    if (sentField(form, factors) === undefined) return undefined;
    const sent = readSentCode(form, factors);
    try {
      const browser = browsers.valueFor(visit.request);
      const outcome = await door.submitCode(visit.request, id, { ...sent, browser });
      if (outcome === undefined) return await this.deps.ends.over(state);
      switch (outcome.kind) {
        case 'accepted':
          return { ...(await this.deps.ends.goOn(visit, state, outcome.standing)), mark: browser };
        case 'refused':
          return wrongCode(visit, state, sent.field);
        case 'missing':
          return missing(state, sent.field);
        case 'used_up':
          return this.deps.ends.tooMany(visit, state, outcome);
      }
    } catch (error) {
      return error instanceof Refusal && error.status === 429
        ? this.refuseCode(state, sent.field, error)
        : this.away(state, error);
    }
  }

  private refuseCode(state: SignInVisit, field: string, refusal: Refusal): Next {
    return {
      state: { ...state, problem: this.deps.problems.ofCode(field, refusal) },
      outcome: refusal.outcome,
    };
  }
}

function wrongCode({ request }: PageVisit, state: SignInVisit, field: string): Next {
  return { state: { ...state, problem: { is: 'refused', field } }, outcome: refusedCode(request).outcome };
}

function refusedIn(state: SignInVisit, { problem, outcome }: RefusedCredentials): Next {
  return { state: { ...state, problem }, outcome };
}

/** Nothing was typed: nothing was judged or counted. */
function missing(state: SignInVisit, field: string): Next {
  return {
    state: { ...state, problem: { is: 'missing', field } },
    outcome: new Refusal('missing_param').outcome,
  };
}
