import type { Answer, Handler } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import type { Outcome } from '../matrix/outcome.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/**
 * What OAuth answers. Its errors are `error` and `error_description`, never `errcode`: matrix-js-sdk tells the two kinds
 * of errors apart by it. A description is ASCII (RFC 6749, section 5.2) and repeats nothing that was sent.
 */

const STATUS = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  // Registration (RFC 7591, section 3.2.2).
  invalid_redirect_uri: 400,
  invalid_client_metadata: 400,
  // Device grant (RFC 8628, section 3.5).
  authorization_pending: 400,
  slow_down: 400,
  access_denied: 400,
  expired_token: 400,
  server_error: 500,
  temporarily_unavailable: 503,
} as const;

export type OauthErrorCode = keyof typeof STATUS;

/** What a client that is told to wait, and not for how long, waits. */
const USUAL_WAIT_MS = 5 * SECOND;

interface ErrorDetail {
  /** Where it is not the usual one of the code. */
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly outcome?: Outcome;
}

/** An error of OAuth, thrown by what finds it. */
export class OauthError extends Error {
  constructor(
    readonly code: OauthErrorCode,
    readonly description: string,
    readonly detail: ErrorDetail = {},
  ) {
    super(description);
    this.name = 'OauthError';
  }
}

/** A JSON answer; the front door adds CORS, its type and `no-store`. */
export function oauthAnswer(body: JsonObject, status = 200): Answer {
  return { status, body };
}

export function oauthErrorAnswer({ code, description, detail }: OauthError): Answer {
  const status = detail.status ?? STATUS[code];
  const wait = detail.retryAfterMs ?? (status === 503 ? USUAL_WAIT_MS : undefined);
  return {
    status,
    headers: {
      ...(wait !== undefined && { 'Retry-After': String(Math.max(1, Math.ceil(wait / SECOND))) }),
      ...detail.headers,
    },
    body: { error: code, error_description: description },
    outcome: detail.outcome ?? outcomeOf(code, status, description),
  };
}

function outcomeOf(code: OauthErrorCode, status: number, detail: string): Outcome {
  if (status < 500) return { is: 'refused', reason: 'request', detail };
  // Here something waits for the homeserver, or for another request that does; it is not this program that has failed.
  const reason = code === 'temporarily_unavailable' ? 'homeserver_answer' : 'internal';
  return { is: 'failed', reason, detail };
}

/**
 * A handler that reads and answers JSON or forms of OAuth: whatever it throws becomes an error of OAuth. What is
 * limited, or out of order for now, is 503: clients sign out on any 4xx at the token endpoint.
 */
export function oauthHandler(log: Log, handle: Handler): Handler {
  return async (request) => {
    try {
      return await handle(request);
    } catch (error) {
      if (error instanceof OauthError) return oauthErrorAnswer(error);
      // Its client has gone: no one gets an answer, and that is not our fault.
      if (request.signal.aborted && !(error instanceof Refusal)) throw error;
      return translated(error, log, request);
    }
  };
}

function translated(error: unknown, log: Log, { client }: ClientRequest): Answer {
  const { status, body, headers, outcome } = refusalAnswer(error, log, client.record);
  const wait = Buffer.isBuffer(body) ? undefined : body.retry_after_ms;
  const retryAfterMs = typeof wait === 'number' ? wait : undefined;
  const answer = oauthErrorAnswer(
    new OauthError(...meaning(status, outcome), {
      outcome,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    }),
  );
  return { ...answer, headers: { ...answer.headers, ...headers } };
}

function meaning(status: number, { is, ...outcome }: Outcome): [OauthErrorCode, string] {
  if (is === 'failed' && 'reason' in outcome && outcome.reason === 'internal') {
    return ['server_error', 'An error happened here.'];
  }
  if (is === 'failed' || is === 'limited' || status >= 500) {
    return ['temporarily_unavailable', 'This is not possible at the moment.'];
  }
  return ['invalid_request', 'The request is malformed.'];
}
