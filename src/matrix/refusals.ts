import type { LimitName, REASONS, ReasonedOutcome } from './outcome.ts';
import type { JsonObject } from './wire.ts';

/** One refusal: what a client is told, with which status, and what the operator is told. Texts are for people. */
interface RefusalKind {
  readonly status: number;
  readonly errcode: string;
  readonly text: string;
  readonly outcome: ReasonedOutcome;
}

function limited(limit: LimitName): ReasonedOutcome {
  return { is: 'limited', reason: limit };
}

function refused(reason: keyof typeof REASONS.refused): ReasonedOutcome {
  return { is: 'refused', reason };
}

function failed(reason: keyof typeof REASONS.failed): ReasonedOutcome {
  return { is: 'failed', reason };
}

/**
 * Every way in which we refuse a request, mapped to its Matrix error here and nowhere else
 * (client-server API, "Standard error response").
 */
const KINDS = {
  not_json: {
    status: 400,
    errcode: 'M_NOT_JSON',
    text: 'The request body is not valid JSON.',
    outcome: refused('request'),
  },
  bad_json: {
    status: 400,
    errcode: 'M_BAD_JSON',
    text: 'The request body does not have the expected shape.',
    outcome: refused('request'),
  },
  missing_param: {
    status: 400,
    errcode: 'M_MISSING_PARAM',
    text: 'A required value is missing.',
    outcome: refused('request'),
  },
  invalid_param: {
    status: 400,
    errcode: 'M_INVALID_PARAM',
    text: 'A value in the request is not acceptable.',
    outcome: refused('request'),
  },
  bad_target: {
    status: 400,
    errcode: 'M_UNRECOGNIZED',
    text: 'The request target is malformed.',
    outcome: refused('target'),
  },
  stage_not_offered: {
    status: 400,
    errcode: 'M_INVALID_PARAM',
    text: 'This authentication stage is not offered here.',
    outcome: refused('request'),
  },
  unrecognized: {
    status: 404,
    errcode: 'M_UNRECOGNIZED',
    text: 'Unrecognized request.',
    outcome: refused('target'),
  },
  method_not_allowed: {
    status: 405,
    errcode: 'M_UNRECOGNIZED',
    text: 'This method is not allowed here.',
    outcome: refused('target'),
  },
  too_large: {
    status: 413,
    errcode: 'M_TOO_LARGE',
    text: 'The request body is too large.',
    outcome: refused('request'),
  },
  slow_body: {
    status: 408,
    errcode: 'M_UNKNOWN',
    text: 'The request body took too long to arrive.',
    outcome: refused('request'),
  },
  missing_token: {
    status: 401,
    errcode: 'M_MISSING_TOKEN',
    text: 'An access token is required.',
    outcome: refused('token'),
  },
  unknown_token: {
    status: 401,
    errcode: 'M_UNKNOWN_TOKEN',
    text: 'The access token is unknown or malformed, or was given more than once.',
    outcome: refused('token'),
  },
  forbidden: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This is not allowed.',
    outcome: refused('request'),
  },
  foreign_session: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This authentication session belongs to another request.',
    outcome: refused('session'),
  },
  other_user: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The authentication must be for the owner of the access token.',
    outcome: refused('owner'),
  },
  hold_ended: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This sign-in has ended. Please sign in again.',
    outcome: refused('session'),
  },
  unknown_sign_in: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'This sign-in is unknown or has expired. Please sign in again.',
    outcome: refused('session'),
  },
  owes_no_enrolment: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'No second factor is to be set up in this session.',
    outcome: refused('session'),
  },
  wrong_setup_code: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The code is not right. Check the clock of your phone and try the next code.',
    outcome: refused('wrong_code'),
  },
  no_password: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This account has no password at its homeserver. Two-factor authentication is for accounts with a password.',
    outcome: refused('policy'),
  },
  set_up_forbidden: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The operator of this server does not let this account set up two-factor authentication.',
    outcome: refused('policy'),
  },
  factor_not_allowed: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The operator of this server does not let this account add an authenticator of this kind.',
    outcome: refused('policy'),
  },
  factor_required: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This account must have two-factor authentication: its last authenticator cannot be removed.',
    outcome: refused('policy'),
  },
  codes_required: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This account must have recovery codes: they cannot be deleted, only replaced.',
    outcome: refused('policy'),
  },
  codes_off: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'There are no recovery codes on this server for this account.',
    outcome: refused('policy'),
  },
  owes_enrolment: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This server requires two-factor authentication.',
    outcome: refused('policy'),
  },
  oauth_session: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This session was signed in by OAuth; sign in with the password.',
    outcome: refused('policy'),
  },
  oauth_account_page: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'This app signed in by OAuth and cannot do this. Do it on the account page.',
    outcome: refused('policy'),
  },
  login_refused: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'Invalid username or password.',
    outcome: refused('wrong_password'),
  },
  device_password_refused: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'Invalid username or password',
    outcome: refused('wrong_password'),
  },
  device_passwords_forbidden: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The operator of this server does not let this account have device passwords.',
    outcome: refused('policy'),
  },
  device_password_needs_factor: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'Device passwords are for accounts with two-factor authentication switched on.',
    outcome: refused('policy'),
  },
  too_many_device_passwords: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'There are as many device passwords as one account may have. Revoke one first.',
    outcome: refused('policy'),
  },
  unknown_device_password: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'There is no such device password.',
    outcome: refused('request'),
  },
  unknown_vote: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'This link asks this account nothing.',
    outcome: refused('request'),
  },
  vote_over: {
    status: 409,
    errcode: 'M_CONFLICT',
    text: 'This was answered before, or the recovery has ended.',
    outcome: refused('request'),
  },
  contacts_changed: {
    status: 409,
    errcode: 'M_CONFLICT',
    text: 'Other requests were changing this at the same time. Try again.',
    outcome: refused('request'),
  },
  unknown_setup: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'This set-up is unknown or has expired. Please start again.',
    outcome: refused('session'),
  },
  too_many_authenticators: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'There are as many authenticators as one account may have. Remove one first.',
    outcome: refused('policy'),
  },
  unknown_authenticator: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'There is no such authenticator.',
    outcome: refused('request'),
  },
  unknown_notice: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'There is no such notice.',
    outcome: refused('request'),
  },
  unknown_user: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'This user is not known here.',
    outcome: refused('request'),
  },
  recovery_forbidden: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The operator of this server does not let this account be recovered in this way.',
    outcome: refused('policy'),
  },
  wrong_voucher: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The recovery code is not right, or was used. Nothing was begun.',
    outcome: refused('wrong_code'),
  },
  wrong_claim: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The claim code is not right.',
    outcome: refused('wrong_code'),
  },
  others_not_signed_out: {
    status: 502,
    errcode: 'M_UNKNOWN',
    text: 'The other sessions of this account could not be signed out. Please try again.',
    outcome: failed('homeserver_answer'),
  },
  too_many_recoveries: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The recovery of this account was begun too often in the last 30 days.',
    outcome: refused('policy'),
  },
  unknown_recovery: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'There is no such recovery of this account.',
    outcome: refused('request'),
  },
  recovery_over: {
    status: 403,
    errcode: 'M_FORBIDDEN',
    text: 'The recovery of this account is not open any more.',
    outcome: refused('session'),
  },
  not_enrolled: {
    status: 404,
    errcode: 'M_NOT_FOUND',
    text: 'Two-factor authentication is not switched on for this account.',
    outcome: refused('request'),
  },
  conflict: {
    status: 409,
    errcode: 'M_CONFLICT',
    text: 'This key was used for another request.',
    outcome: refused('request'),
  },
  limit_exceeded: {
    status: 429,
    errcode: 'M_LIMIT_EXCEEDED',
    text: 'Too many attempts. Please wait before trying again.',
    // Whatever meets it names its limit (`LimitDetail`).
    outcome: limited('homeserver'),
  },
  codes_wait: {
    status: 429,
    errcode: 'M_LIMIT_EXCEEDED',
    text: 'Too many wrong codes. Wait, or use a recovery code.',
    outcome: limited('codes'),
  },
  codes_shut: {
    status: 429,
    errcode: 'M_LIMIT_EXCEEDED',
    text: 'Too many wrong codes. Use a recovery code, or ask the operator of this server to unlock the account.',
    outcome: limited('codes'),
  },
  homeserver_unreachable: {
    status: 502,
    errcode: 'M_UNKNOWN',
    text: 'The homeserver cannot be reached at the moment.',
    outcome: failed('homeserver_down'),
  },
  homeserver_slow: {
    status: 504,
    errcode: 'M_UNKNOWN',
    text: 'The homeserver took too long to answer.',
    outcome: failed('homeserver_timeout'),
  },
  homeserver_unclear: {
    status: 502,
    errcode: 'M_UNKNOWN',
    text: 'The homeserver gave an answer that could not be understood.',
    outcome: failed('homeserver_answer'),
  },
  login_elsewhere: {
    status: 502,
    errcode: 'M_UNKNOWN',
    text: 'The homeserver answered with a login. This account can only be signed in to with its second factor.',
    outcome: failed('homeserver_answer'),
  },
  store_unavailable: {
    status: 503,
    errcode: 'M_UNKNOWN',
    text: 'Two-factor authentication is unavailable at the moment. Please try again later.',
    outcome: failed('store'),
  },
  oauth_not_known: {
    status: 503,
    errcode: 'M_UNKNOWN',
    text: 'It is not known yet whether apps can sign in by OAuth here. Please try again later.',
    outcome: failed('homeserver_down'),
  },
  internal: {
    status: 500,
    errcode: 'M_UNKNOWN',
    text: 'Internal error.',
    outcome: failed('internal'),
  },
} as const satisfies Record<string, RefusalKind>;

export type RefusalName = keyof typeof KINDS;

/** What a refusal says besides to a user who has to set up a second factor first. */
export interface OwedSetUp {
  readonly setup_url: string;
  readonly deadline_ts: number;
}

export interface RefusalDetail {
  /** A text for this one case instead of the general one. */
  readonly text?: string;
  /** Milliseconds after which another try makes sense; becomes `retry_after_ms` and `Retry-After`. */
  readonly retryAfterMs?: number;
  /** The homeserver's word that the session can be taken up again after a login (spec, "Soft logout"). */
  readonly softLogout?: boolean;
  /** Where and until when the second factor has to be set up (spec/errors.md). */
  readonly owesEnrolment?: OwedSetUp;
  readonly cause?: unknown;
  /** What the operator is told of this one case instead of the general reason. */
  readonly outcome?: ReasonedOutcome;
}

/** What a refusal says besides of a limit that was met. */
export interface LimitDetail extends Omit<RefusalDetail, 'outcome'> {
  readonly limit: LimitName;
}

/** A request refused by us, by name. */
export class Refusal extends Error {
  readonly status: number;
  readonly errcode: string;
  readonly outcome: ReasonedOutcome;
  readonly retryAfterMs: number | undefined;
  readonly softLogout: boolean | undefined;
  readonly owesEnrolment: OwedSetUp | undefined;

  constructor(refusal: 'limit_exceeded', detail: LimitDetail);
  constructor(refusal: Exclude<RefusalName, 'limit_exceeded'>, detail?: RefusalDetail);
  constructor(
    readonly refusal: RefusalName,
    detail: RefusalDetail & Partial<LimitDetail> = {},
  ) {
    const kind = KINDS[refusal];
    super(detail.text ?? kind.text, { cause: detail.cause });
    this.name = 'Refusal';
    this.status = kind.status;
    this.errcode = kind.errcode;
    this.outcome = detail.limit === undefined ? (detail.outcome ?? kind.outcome) : limited(detail.limit);
    this.retryAfterMs = detail.retryAfterMs;
    this.softLogout = detail.softLogout;
    this.owesEnrolment = detail.owesEnrolment;
  }

  /** The standard error response body. */
  body(): JsonObject {
    const body: JsonObject = { errcode: this.errcode, error: this.message };
    if (this.retryAfterMs !== undefined) body.retry_after_ms = Math.ceil(this.retryAfterMs);
    if (this.softLogout !== undefined) body.soft_logout = this.softLogout;
    if (this.owesEnrolment !== undefined) body['org.matrix.2fa.owes_enrolment'] = { ...this.owesEnrolment };
    return body;
  }
}
