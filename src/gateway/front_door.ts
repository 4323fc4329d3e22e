import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { PassedRequest } from '../http/answer.ts';
import { BodyBudget } from '../http/body.ts';
import { clientAddressReader, type ReadClientAddress } from '../http/client_address.ts';
import type { ClientAddress, PresentedToken } from '../http/client_request.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import { sendPreflight } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { SECOND, systemTicks, type Ticks } from '../system/clock.ts';
import { derived } from '../system/derived.ts';
import type { Log } from '../system/log.ts';
import { type RandomSource, systemRandom } from '../system/random.ts';
import { buildApp, type Handlers } from './app.ts';
import { classify, type RefusedTarget, type RouteMatch } from './classify.ts';
import { Connections } from './connections.ts';
import { prepareServer } from './http_server.ts';
import { type CheckAnswer, PassThrough, type PassThroughOptions } from './pass_through.ts';
import { shownToken } from './passing_token.ts';
import { RequestLog, type RequestLogDeps, requestIdReader } from './request_log.ts';

/** The page for addresses that are not there (`http/routes.ts`). */
const NOT_FOUND_PAGE = '/_2fa/not-found';
const GATED_BODY_TIME = 60 * SECOND;

/** Shared by all gated bodies that are under way (attack 123). */
const MOST_BODY_BYTES = 64 * 1024 * 1024;

/** Each costs up to some 20 KB while its head is unfinished. */
const MOST_WAITING_CONNECTIONS = 4096;

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
  /** Whether the paths of the OAuth 2.0 API are there now; never, where it is left out. */
  readonly hasOauth?: () => boolean;
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
  const { log, handlers, checkRequest, hasOauth = () => false, times = {} } = options;
  const addressReader = derived(options.trustedProxies, clientAddressReader);
  const readClientAddress: ReadClientAddress = (request) => addressReader()(request);
  const requestLog = requestLogOf(options, readClientAddress);
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
  const admission = new Admission({
    ...{ app, passThrough, requestLog, readClientAddress, log, checkRequest, hasOauth },
  });
  const admit = (isWaiting: boolean) => {
    const begin = (request: IncomingMessage, response: ServerResponse) =>
      admission.admit(request, response, isWaiting);
    return (request: IncomingMessage, response: ServerResponse) =>
      connections.serve(request, response, begin);
  };
  const { headMs } = times;
  const server = prepareServer({ admit: admit(false), admitWaiting: admit(true), log, headMs });
  const connections = new Connections(server, MOST_WAITING_CONNECTIONS);
  const close = async (graceMs: number): Promise<void> => {
    await connections.end(graceMs);
    await passThrough.destroy();
  };
  return { server, passing: () => passThrough.passing, close };
}

function requestLogOf(options: FrontDoorOptions, readClientAddress: ReadClientAddress): RequestLog {
  const { random = systemRandom, ticks = systemTicks, log, onFinished } = options;
  const idReader = derived(options.trustedProxies, (trusted) => requestIdReader(trusted, random));
  const readRequestId = (request: IncomingMessage) => idReader()(request);
  return new RequestLog({ log, readClientAddress, readRequestId, ticks, onFinished });
}

interface AdmissionDeps {
  readonly log: Log;
  readonly checkRequest: FrontDoorOptions['checkRequest'] | undefined;
  readonly app: ReturnType<typeof buildApp>;
  readonly passThrough: PassThrough;
  readonly requestLog: RequestLog;
  readonly readClientAddress: ReadClientAddress;
  readonly hasOauth: () => boolean;
}

/** Sends each request where its raw target says. */
class Admission {
  /** Writing to a client that has just gone may fail; an error without a listener would end the process (attack 117). */
  private readonly noteWriteError = (error: Error): void =>
    this.deps.log.debug({ err: error }, 'An answer could not be written');

  constructor(private readonly deps: AdmissionDeps) {}

  /** @param isWaiting the client waits before it sends its body: it is asked to only where that will be read (attack 97) */
  admit(request: IncomingMessage, response: ServerResponse, isWaiting: boolean): void {
    const found = classify(request.method ?? '', request.url ?? '', this.deps.hasOauth);
    response.on('error', this.noteWriteError);
    if (isWaiting && (found.kind === 'pass' || found.kind === 'route')) response.writeContinue();
    // A client that is gone has no address any more: it must not get round the limits without one (attack 74).
    if (request.socket.remoteAddress === undefined) request.socket.destroy();
    else if (found.kind === 'pass') this.passOn(request, response);
    else if (found.kind === 'route') this.handle(found, request, response);
    else if (found.kind === 'preflight') sendPreflight(response);
    else {
      const page = found.refusal === 'unrecognized' ? notFoundPage(request) : undefined;
      if (page === undefined) this.refuseTarget(found.refusal, request, response);
      else this.handle(page, request, response);
    }
  }

  private handle(match: RouteMatch, request: IncomingMessage, response: ServerResponse): void {
    this.deps.app(atCanonicalTarget(request, match), response, match);
  }

  private passOn(request: IncomingMessage, response: ServerResponse): void {
    const { passThrough, requestLog, readClientAddress, log } = this.deps;
    const judged = this.deps.checkRequest?.(new ShownRequest(request, readClientAddress));
    if (judged === undefined) {
      passThrough.forward(request, response);
      return;
    }
    const begun = requestLog.begin(request, undefined);
    judged.then(
      () => {
        if (!response.destroyed) passThrough.forward(request, response);
      },
      (error: unknown) => requestLog.finish(begun, refusalAnswer(error, log), response),
    );
  }

  private refuseTarget(refusal: RefusedTarget, request: IncomingMessage, response: ServerResponse): void {
    const { requestLog, log } = this.deps;
    const begun = requestLog.begin(request, undefined);
    requestLog.finish(begun, refusalAnswer(new Refusal(refusal), log), response);
  }
}

/**
 * Works out what it is asked for when it is asked: that is rare. A class, because each object literal with a getter has a
 * hidden class of its own, which the garbage collector pays for.
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
