import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import type { PassedRequest } from '../http/answer.ts';
import { BodyBudget } from '../http/body_budget.ts';
import { clientAddressReader, type ReadClientAddress } from '../http/client_address.ts';
import type { ClientAddress, PresentedToken } from '../http/client_request.ts';
import { CORS_HEADERS } from '../http/cors.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import { requestIdReader } from '../http/request_id.ts';
import { sendAnswer, sendPreflight } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { SECOND, systemTicks, type Ticks } from '../system/clock.ts';
import { derived } from '../system/derived.ts';
import type { Log } from '../system/log.ts';
import { type RandomSource, systemRandom } from '../system/random.ts';
import { buildApp, type Handlers } from './app.ts';
import { type Classification, classify, type RefusedTarget, type RouteMatch } from './classify.ts';
import { Connections } from './connections.ts';
import { type CheckAnswer, PassThrough, type PassThroughOptions } from './pass_through.ts';
import { shownToken } from './passing_token.ts';
import { RequestLog, type RequestLogDeps } from './request_log.ts';

/** The page that says so (`http/routes.ts`). */
const NOT_FOUND_PAGE = '/_2fa/not-found';
const MAX_HEADER_BYTES = 16 * 1024;

/** One client waits for its sign-in page on an idle connection for more than a minute. */
const KEEP_ALIVE_TIME = 76 * SECOND;

/** Longer than the above, or a connection could be cut between two requests. */
const HEADERS_TIME = 80 * SECOND;

const GATED_BODY_TIME = 60 * SECOND;

/** Shared by all gated bodies that are under way (attack 123). */
const MOST_BODY_BYTES = 64 * 1024 * 1024;

/** Each costs up to some 20 KB while its head is unfinished. */
const MOST_WAITING_CONNECTIONS = 4096;

/** How often connections are looked through for heads that take too long. */
const HEAD_CHECKS = 10 * SECOND;

export interface FrontDoorOptions {
  /** The homeserver's origin. */
  readonly upstream: URL;
  readonly handlers: Handlers;
  /** Addresses or CIDR ranges whose `X-Forwarded-For` is believed at present. */
  readonly trustedProxies: () => readonly string[];
  readonly log: Log;
  readonly random?: RandomSource;
  readonly ticks?: Ticks;
  /** Counts requests on gated and own routes, and those refused here. */
  readonly onFinished?: RequestLogDeps['onFinished'];
  readonly onPassed?: PassThroughOptions['onPassed'];
  /** Looks at answers to passed-through requests that could be a login. */
  readonly checkAnswer?: CheckAnswer;
  /** Looks at requests before they are passed on: undefined, or a promise that is rejected where one must not be. */
  readonly checkRequest?: (request: PassedRequest) => Promise<void> | undefined;
  readonly times?: DoorTimes;
}

/** How long clients may take, in ms: what a test wants to be shorter. */
export interface DoorTimes {
  /** Until the head of a request has arrived; 80 seconds by default. */
  readonly headMs?: number;
  /** Until the body of a gated request has arrived; a minute by default. */
  readonly bodyMs?: number;
  /** Until more of a body that is passed on arrives; five minutes by default. */
  readonly uploadSilenceMs?: number;
}

export interface FrontDoor {
  /** Not listening yet. */
  readonly server: Server;
  /** How many requests are being passed on to the homeserver. */
  passing(): number;
  /** Stops accepting, lets requests under way finish for up to `graceMs` milliseconds, then cuts them off (`Connections`). */
  close(graceMs: number): Promise<void>;
}

/**
 * The server that clients talk to: it classifies every request by its raw target, streams what is not gated to the
 * homeserver and hands the rest, rewritten to its canonical target, to the handlers.
 */
export function createFrontDoor(options: FrontDoorOptions): FrontDoor {
  const { log, handlers, times = {} } = options;
  const { random = systemRandom } = options;
  const addressReader = derived(options.trustedProxies, clientAddressReader);
  const idReader = derived(options.trustedProxies, (trusted) => requestIdReader(trusted, random));
  const readClientAddress: ReadClientAddress = (request) => addressReader()(request);
  const requestLog = new RequestLog({
    log,
    readClientAddress,
    readRequestId: (request) => idReader()(request),
    ticks: options.ticks ?? systemTicks,
    onFinished: options.onFinished,
  });
  const app = buildApp({
    handlers,
    requestLog,
    log,
    bodyTimeMs: times.bodyMs ?? GATED_BODY_TIME,
    bodyBudget: new BodyBudget(MOST_BODY_BYTES),
  });
  const passThrough = new PassThrough({
    upstream: options.upstream,
    readClientAddress,
    log,
    uploadSilenceMs: times.uploadSilenceMs,
    onPassed: options.onPassed,
    checkAnswer: options.checkAnswer,
  });

  /** Writing to a client that has just gone may fail; an error without a listener would end the process (attack 117). */
  const noteWriteError = (error: Error): void => log.debug({ err: error }, 'An answer could not be written');

  function admit(request: IncomingMessage, response: ServerResponse): void {
    admitAs(classify(request.method ?? '', request.url ?? ''), request, response);
  }

  /** The client waits before it sends its body: it is asked to only where the body will be read (attack 97). */
  function admitWaiting(request: IncomingMessage, response: ServerResponse): void {
    const found = classify(request.method ?? '', request.url ?? '');
    if (found.kind === 'pass' || found.kind === 'route') response.writeContinue();
    admitAs(found, request, response);
  }

  function admitAs(found: Classification, request: IncomingMessage, response: ServerResponse): void {
    response.on('error', noteWriteError);
    connections.serve(request, response);
    // A client that is gone has no address any more: it must not get round the limits without one (attack 74).
    if (request.socket.remoteAddress === undefined) request.socket.destroy();
    else if (found.kind === 'pass') passOn(request, response);
    else if (found.kind === 'route') app(atCanonicalTarget(request, found), response, found);
    else if (found.kind === 'preflight') sendPreflight(response);
    else {
      const page = found.refusal === 'unrecognized' ? notFoundPage(request) : undefined;
      if (page === undefined) refuseTarget(found.refusal, request, response);
      else app(atCanonicalTarget(request, page), response, page);
    }
  }

  function passOn(request: IncomingMessage, response: ServerResponse): void {
    const judged = options.checkRequest?.(new ShownRequest(request, readClientAddress));
    if (judged === undefined) {
      passThrough.forward(request, response);
      return;
    }
    const begun = requestLog.begin(request, undefined);
    judged.then(
      () => {
        if (!response.destroyed) passThrough.forward(request, response);
      },
      (error: unknown) => sendAnswer(response, requestLog.finish(begun, refusalAnswer(error, log))),
    );
  }

  function refuseTarget(refusal: RefusedTarget, request: IncomingMessage, response: ServerResponse): void {
    const begun = requestLog.begin(request, undefined);
    sendAnswer(response, requestLog.finish(begun, refusalAnswer(new Refusal(refusal), log)));
  }

  const server = prepareServer({ admit, admitWaiting, log, headMs: times.headMs ?? HEADERS_TIME });
  const connections = new Connections(server, MOST_WAITING_CONNECTIONS);
  const close = async (graceMs: number): Promise<void> => {
    await connections.end(graceMs);
    await passThrough.destroy();
  };
  return { server, passing: () => passThrough.passing, close };
}

/**
 * Mostly nothing of it is asked for: what passes must not pay for it. A class, as an object literal with a getter has a
 * hidden class of its own each time, which the garbage collector pays for.
 */
class ShownRequest implements PassedRequest {
  constructor(
    private readonly request: IncomingMessage,
    private readonly readClientAddress: ReadClientAddress,
  ) {}

  get path(): string {
    return (this.request.url ?? '').split('?', 1)[0] ?? '';
  }

  readClient(): ClientAddress {
    return this.readClientAddress(this.request);
  }

  readToken(): PresentedToken {
    return shownToken(this.request);
  }
}

interface ServerParts {
  readonly admit: RequestListener;
  readonly admitWaiting: RequestListener;
  readonly log: Log;
  readonly headMs: number;
}

function prepareServer({ admit, admitWaiting, log, headMs }: ServerParts): Server {
  const server = createServer(
    { maxHeaderSize: MAX_HEADER_BYTES, connectionsCheckingInterval: Math.min(HEAD_CHECKS, headMs) },
    admit,
  );
  server.keepAliveTimeout = Math.min(KEEP_ALIVE_TIME, headMs);
  server.headersTimeout = headMs;
  // Uploads and long polls take their time; bodies have limits of their own.
  server.requestTimeout = 0;
  server.on('checkContinue', admitWaiting);
  server.on('checkExpectation', admit);
  server.on('connect', (_request, socket: Duplex) => refuseRaw(socket, 400));
  server.on('clientError', refuseMalformed);
  // Accepting a connection may fail, too, when the machine is out of descriptors or memory. The next one is accepted.
  server.on('error', (error) => {
    if (server.listening) log.error({ err: error }, 'A connection could not be accepted');
  });
  return server;
}

/** For people who ask for something below `/_2fa/` that is not there; programs get the refusal. */
function notFoundPage({ method, url = '', headers }: IncomingMessage): RouteMatch | undefined {
  const isForPeople = url.startsWith('/_2fa/') && headers.accept?.includes('text/html') === true;
  if (!isForPeople || (method !== 'GET' && method !== 'HEAD')) return undefined;
  const found = classify(method, NOT_FOUND_PAGE);
  return found.kind === 'route' ? found : undefined;
}

function atCanonicalTarget(request: IncomingMessage, match: RouteMatch): IncomingMessage {
  request.url = match.rawQuery === '' ? match.path : `${match.path}?${match.rawQuery}`;
  return request;
}

/** Bytes that Node could not read as a request (attacks 24 and 97). */
function refuseMalformed(
  error: NodeJS.ErrnoException,
  socket: Duplex & { readonly bytesWritten?: number },
): void {
  // An answer may be under way on this connection: nothing can be said without being taken for its continuation.
  if (!socket.writable || (socket.bytesWritten ?? 0) > 0) {
    socket.destroy();
    return;
  }
  if (error.code === 'HPE_HEADER_OVERFLOW') refuseRaw(socket, 431);
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuseRaw(socket, 408);
  else refuseRaw(socket, 400);
}

const REASONS = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
} as const;

/** Answers on a bare socket, and closes it. */
function refuseRaw(socket: Duplex, status: keyof typeof REASONS): void {
  const body = JSON.stringify({ errcode: 'M_UNRECOGNIZED', error: REASONS[status] });
  const headers = {
    ...CORS_HEADERS,
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    Connection: 'close',
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${REASONS[status]}\r\n${lines.join('')}\r\n${body}`);
}
