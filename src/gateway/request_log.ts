import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from '../http/answer.ts';
import { type ReadClientAddress, trustedPeers } from '../http/client_address.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { headerValues } from '../http/headers.ts';
import { RequestRecord } from '../http/request_record.ts';
import type { Route } from '../http/routes.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { type Outcome, outcomeOfStatus, reasonOf, textOf } from '../matrix/outcome.ts';
import type { Ticks } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { type RandomSource, randomId } from '../system/random.ts';

/** The id of a request: goes to the homeserver, to the client, and into the log. */
export type ReadRequestId = (request: IncomingMessage) => string;

const HEADER = 'x-request-id';
const USABLE = /^[A-Za-z0-9._-]{1,64}$/;
const BITS = 96;

/** A request on a gated or own route, or one that is refused at the front door. */
export interface BegunRequest {
  readonly method: string;
  /** Undefined where there is none: its target was refused. */
  readonly route: Route | undefined;
  readonly client: ClientAddress;
  readonly record: RequestRecord;
  readonly begunAt: number;
}

/** What became of one. */
export interface FinishedRequest extends BegunRequest {
  readonly outcome: Outcome;
  readonly status: number;
  readonly ms: number;
}

/** What the line of a request is made of; those of the admin API have routes of their own, and a token. */
export interface LoggedRequest extends Omit<FinishedRequest, 'route' | 'client'> {
  readonly client: Pick<ClientAddress, 'ip'>;
  readonly route: { readonly id: string; readonly door: string } | undefined;
  /** `admin:<name of the token>`. */
  readonly actor?: string | undefined;
}

export interface RequestLogDeps {
  readonly log: Log;
  readonly readClientAddress: ReadClientAddress;
  readonly readRequestId: ReadRequestId;
  readonly ticks: Ticks;
  /** Counts it. */
  readonly onFinished?: ((request: FinishedRequest) => void) | undefined;
}

/**
 * The one line of each request on a gated or own route (docs/watch.md). What was challenged, refused, released,
 * limited or failed is always logged, what passed only at the level `debug`.
 */
export class RequestLog {
  constructor(private readonly deps: RequestLogDeps) {}

  /** Before waiting for the body: the address of a client that goes away meanwhile is lost. */
  begin(request: IncomingMessage, route: Route | undefined): BegunRequest {
    const record = new RequestRecord(this.deps.readRequestId(request));
    const client = { ...this.deps.readClientAddress(request), record };
    return { method: request.method ?? '', route, client, record, begunAt: this.deps.ticks() };
  }

  /** Notes what a request was answered, whether or not its client is still there, and sends it with the id of the request. */
  finish(begun: BegunRequest, answer: Answer, response: ServerResponse): void {
    const { method, route, client, record, begunAt } = begun;
    const { status } = answer;
    const outcome = answer.outcome ?? outcomeOfStatus(status, route?.forbidden);
    const ms = this.deps.ticks() - begunAt;
    const finished = { method, route, client, record, begunAt, outcome, status, ms };
    logRequest(this.deps.log, finished);
    this.deps.onFinished?.(finished);
    sendAnswer(response, answer, record.id);
  }
}

export function logRequest(log: Log, request: LoggedRequest): void {
  const { outcome } = request;
  if (outcome.is === 'passed') log.debug(fieldsOf(request), textOf(outcome));
  else if (outcome.is === 'failed') log.error(fieldsOf(request), textOf(outcome));
  else log.info(fieldsOf(request), textOf(outcome));
}

/** In the order in which they stand in the line. */
function fieldsOf({ outcome, client, method, route, status, record, ms, actor }: LoggedRequest) {
  return {
    event: 'request',
    outcome: outcome.is,
    reason: reasonOf(outcome),
    address: client.ip,
    method,
    route: route?.id,
    status,
    door: route?.door,
    actor,
    user_id: record.userId,
    device_id: record.deviceId,
    factor: record.factor,
    request_id: record.id,
    ms: Math.round(ms),
    upstream_ms: record.upstreamMs === undefined ? undefined : Math.round(record.upstreamMs),
  };
}

/**
 * Reads the id that a trusted proxy gave a request; all others get a new one, so that no client can make its
 * requests look like another's. One that is sent twice or holds other characters counts as absent.
 */
export function requestIdReader(trustedProxies: readonly string[], random: RandomSource): ReadRequestId {
  const isTrusted = trustedPeers(trustedProxies);
  return (request) => {
    const [given, ...more] = isTrusted(request) ? headerValues(request.rawHeaders, HEADER) : [];
    const isUsable = given !== undefined && more.length === 0 && USABLE.test(given);
    return isUsable ? given : randomId(random, BITS);
  };
}
