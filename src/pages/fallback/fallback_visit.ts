import type { FallbackStanding } from '../../guard/guarded_page.ts';
import type { Form } from '../../http/form.ts';
import type { FormProblem } from '../forms/form_problems.ts';
import { type Html, html } from '../shell/html.ts';

/** What was wrong with the last form of a fallback page. */
export type FallbackProblem =
  | { readonly of: 'code'; readonly problem: FormProblem }
  | { readonly of: 'password'; readonly problem: PasswordProblem };

export type PasswordProblem = { readonly is: 'wrongPassword' } | FormProblem;

/** What stands between the requests of a browser at a fallback page. All else is in the session. */
export interface FallbackVisit {
  readonly refused?: FallbackProblem | undefined;
  /** A recovery code was the proof. */
  readonly isRecovery?: boolean | undefined;
  readonly ended?: EndedApproval | undefined;
}

/** Why nothing comes of an approval any more. */
export type EndedApproval =
  /**
   * `over`: the access token that it is for has ended. `closed`: the account is locked or deactivated. `noPassword`: the
   * homeserver wants one, and there is none.
   */
  | { readonly cause: 'over' | 'closed' | 'oauth' | 'noPassword' | 'tooManyPasswords' }
  /** `until`: ms since the epoch. */
  | { readonly cause: 'tooManyCodes'; readonly until: number };

const FIELD = 'about';

/** Names, in each form, the body that it asks for an approval of. */
export function aboutField(standing: FallbackStanding): Html {
  return html`<input type="hidden" name="${FIELD}" value="${nameOf(standing)}">`;
}

/** Whether a form was shown for the body that is bound now. */
export function isAbout(form: Form, standing: FallbackStanding): boolean {
  return form.get(FIELD) === nameOf(standing);
}

function nameOf({ session }: FallbackStanding): string {
  return session.bodyDigest ?? 'nothing';
}
