/**
 * What became of a request on a gated or own route, and why: a row for each reason, with what it tells an operator.
 * Every refusal has one of them (`refusals.ts`); what other answers say stands where the answer is made.
 */
export const REASONS = {
  challenged: {
    password: 'the password is asked for',
    factor: 'the second factor is asked for',
    enrolment: 'a second factor is to be set up first',
    homeserver: 'the homeserver asks for a stage of its own',
  },
  refused: {
    wrong_password: 'the password was not right',
    wrong_code: 'the second factor was not right',
    spent_code: 'the code was right, but was used before',
    session: 'the session or sign-in is unknown, has ended or is about another request',
    owner: 'the authentication was for another user than the owner of the access token',
    policy: 'this account may not do that',
    request: 'the request is malformed, or asks for what is not there',
    target: 'the path or the method is not served',
    token: 'the access token is missing, unknown or malformed',
    homeserver: 'the homeserver refused it',
  },
  limited: {
    address: 'too many attempts from this address failed',
    device: 'there were too many wrong passwords under the access tokens of this device',
    codes: 'there were too many wrong codes for this account',
    hashes: 'too many recovery codes were being looked at or made',
    connections: 'too many requests were waiting for the homeserver',
    set_up: 'this set-up was being confirmed by another request',
    renames: 'too many authenticators of this account were renamed',
    contact_links: 'too many links were sent for the contact address of this account, or to this address',
    homeserver: 'the homeserver has had too many requests of this kind',
    admin_token: 'this admin token was used too often',
    admin_address: 'too many wrong admin tokens came from this address',
  },
  failed: {
    store: 'the store did not answer',
    homeserver_down: 'the homeserver could not be reached',
    homeserver_timeout: 'the homeserver took too long to answer',
    homeserver_answer: 'the homeserver gave an answer that was not understood, or failed',
    internal: 'an error in this program',
  },
} as const;

type Reasons = typeof REASONS;

/** A limit that a request met. */
export type LimitName = keyof Reasons['limited'];

/** An outcome that stands in the table above. */
export type ReasonedOutcome = {
  [Is in keyof Reasons]: {
    readonly is: Is;
    readonly reason: keyof Reasons[Is];
    /** More of this one case. */
    readonly detail?: string;
  };
}[keyof Reasons];

export type Outcome =
  /** It went through, without a second factor of its own. */
  | { readonly is: 'passed' }
  /** It went through for a second factor; `factor` is its kind, or `login_token` for one given on the sign-in page. */
  | { readonly is: 'released'; readonly factor: string }
  | ReasonedOutcome;

export const PASSED: Outcome = { is: 'passed' };

/** The reason of an outcome, in one word. */
export function reasonOf(outcome: Outcome): string {
  if (outcome.is === 'passed') return 'none';
  return outcome.is === 'released' ? outcome.factor : outcome.reason;
}

/** What an operator is told of an outcome. */
export function textOf(outcome: Outcome): string {
  if (outcome.is === 'passed') return 'it went through';
  if (outcome.is === 'released') return 'it went through for a second factor';
  if (outcome.detail !== undefined) return outcome.detail;
  const texts: Readonly<Record<string, string>> = REASONS[outcome.is];
  return texts[outcome.reason] ?? outcome.reason;
}

/**
 * What the status of an answer says that nothing else is known of: it is the homeserver's.
 * @param forbidden what its 403 means on this route
 */
export function outcomeOfStatus(status: number, forbidden: keyof Reasons['refused'] = 'homeserver'): Outcome {
  if (status < 400) return PASSED;
  if (status === 429) return { is: 'limited', reason: 'homeserver' };
  if (status >= 500) return { is: 'failed', reason: 'homeserver_answer' };
  return { is: 'refused', reason: status === 403 ? forbidden : 'homeserver' };
}
