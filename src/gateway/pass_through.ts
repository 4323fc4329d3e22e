import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PassedAnswer } from '../http/answer.ts';
import type { ReadClientAddress } from '../http/client_address.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { MINUTE, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { type Dispatcher, Pool } from '../system/undici.ts';
import { bodyOf, type ClientBody } from './client_body.ts';
import { downstreamHeaders, inPairs, upstreamHeaders } from './forwarding.ts';
import { acceptOnlyReadable, HeldAnswer, mayGrant } from './held_answer.ts';
import { sandboxedMedia } from './media_headers.ts';
import { tokenOf } from './passing_token.ts';

/** Clients ask for long polls (`/sync`) of many minutes; a homeserver that is silent for longer is gone. */
const SILENCE_LIMIT = 15 * MINUTE;

/** Homeservers keep idle connections longer; a request that is not repeatable must not meet a dying one. */
const IDLE_LIMIT = 4 * SECOND;

const LOWEST_STATUS = 100;
/** Lower statuses announce a later answer (RFC 9110 section 15.2). */
const LOWEST_FINAL_STATUS = 200;

/** The errors of a connection that the homeserver had just closed. */
const STALE_CONNECTION: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * Looks at an answer before it is given out: undefined if it may go at once, else a promise that is rejected, with a
 * refusal or what the store throws, if it must not go at all.
 */
export type CheckAnswer = (answer: PassedAnswer) => Promise<void> | undefined;

export interface PassThroughOptions {
  readonly upstream: URL;
  readonly readClientAddress: ReadClientAddress;
  readonly log: Log;
  /** Milliseconds in which a client has to send more of its body; five minutes by default. */
  readonly uploadSilenceMs?: number | undefined;
  /** Counts what was passed on, with the status of its answer; none if the client left before. */
  readonly onPassed?: ((status: number) => void) | undefined;
  /** For answers that could be a login; without it all go out unseen. */
  readonly checkAnswer?: CheckAnswer | undefined;
}

type CheckContent = (content: Buffer) => Promise<void> | undefined;

/** Streams requests to the homeserver and its answers back. */
export class PassThrough {
  /** How many requests are being passed on. */
  passing = 0;
  readonly #pool: Pool;
  readonly #options: PassThroughOptions;

  constructor(options: PassThroughOptions) {
    this.#options = options;
    this.#pool = new Pool(options.upstream.origin, {
      headersTimeout: SILENCE_LIMIT,
      bodyTimeout: SILENCE_LIMIT,
      keepAliveTimeout: IDLE_LIMIT,
      connect: { noDelay: true },
    });
  }

  /** Forwards the target byte for byte. */
  forward(request: IncomingMessage, response: ServerResponse): void {
    this.passing += 1;
    const client = this.#options.readClientAddress(request);
    const { headers, hasBody, bodyBytes } = upstreamHeaders(request.rawHeaders, client);
    const path = request.url as string;
    const method = request.method as string;
    const checkAnswer = mayGrant(method) ? this.#options.checkAnswer : undefined;
    const check: CheckContent | undefined =
      checkAnswer && ((content) => checkAnswer({ path, content, client, readToken: () => tokenOf(request) }));
    if (check !== undefined) acceptOnlyReadable(headers);
    const relay = new Relay(this.#pool, { path, method, headers }, response, this.#options, check);
    response.on('close', () => {
      this.#done(response);
      relay.endWithClient();
    });
    if (!hasBody) relay.begin(null);
    // Node has read what came with the head by then.
    else process.nextTick(() => relay.begin(bodyOf(request, bodyBytes, this.#options.uploadSilenceMs)));
  }

  #done(response: ServerResponse): void {
    this.passing -= 1;
    if (response.headersSent) this.#options.onPassed?.(response.statusCode);
  }

  /** Ends everything at once. */
  async destroy(): Promise<void> {
    await this.#pool.destroy();
  }
}

/**
 * One answer on its way from the homeserver to the client. It takes the older form of a dispatcher's handler: for the newer
 * one an object is made of all headers, and a controller, which nothing here needs.
 */
class Relay implements Dispatcher.DispatchHandler {
  private abort: ((error: Error) => void) | undefined;
  private resume: (() => void) | undefined;
  private status = 0;
  private held: HeldAnswer | undefined;
  /** The head was sent in this turn: what comes with it goes out with it. */
  private isFresh = false;
  private early: Buffer | undefined;
  private mayRetry: boolean;
  private head: string[] = [];

  constructor(
    private readonly pool: Pool,
    private readonly dispatched: Dispatcher.DispatchOptions,
    private readonly response: ServerResponse,
    private readonly options: PassThroughOptions,
    private readonly check: CheckContent | undefined,
  ) {
    this.mayRetry = dispatched.method === 'GET' || dispatched.method === 'HEAD';
  }

  begin(body: Buffer | ClientBody | null): void {
    this.dispatched.body = body;
    this.mayRetry &&= body === null;
    this.pool.dispatch(this.dispatched, this);
  }

  onConnect(abort: (error?: Error) => void): void {
    this.abort = abort;
    if (this.response.destroyed) abort(new Error('the client went away'));
  }

  /**
   * The reason phrase stays behind: it means nothing (RFC 9112 section 4), and Node refuses odd ones. What cannot be
   * written throws here, and the dispatcher then ends the request in `onError`.
   */
  onHeaders(status: number, rawHeaders: readonly Buffer[], resume: () => void): boolean {
    if (status < LOWEST_STATUS) throw new Error(`the homeserver answered with the status ${status}`);
    if (status < LOWEST_FINAL_STATUS) return true;
    this.status = status;
    this.head = sandboxedMedia(this.dispatched.path, downstreamHeaders(rawHeaders));
    this.resume = resume;
    if (this.check !== undefined) this.held = HeldAnswer.of(this.head);
    if (this.held !== undefined) return true;
    this.sendHead();
    this.isFresh = true;
    process.nextTick(sendEarly, this);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.held?.take(chunk) === true) return true;
    const bytes = this.held === undefined ? chunk : this.release(this.held);
    if (this.isFresh && this.early === undefined) {
      this.early = bytes;
      return true;
    }
    this.sendEarly();
    if (this.response.write(bytes)) return true;
    this.response.once('drain', () => this.resume?.());
    return false;
  }

  onComplete(trailers: readonly (Buffer | string)[] | null): void {
    const checking = this.held === undefined ? undefined : this.checkHeld(this.held);
    if (checking === undefined) this.end(trailers);
    else checking.then(() => this.end(trailers)).catch((error: unknown) => this.withhold(error));
  }

  onError(error: Error): void {
    if (this.response.destroyed) return;
    if (this.response.headersSent) {
      this.response.destroy();
      return;
    }
    if (this.mayRetry && STALE_CONNECTION.has((error as NodeJS.ErrnoException).code ?? '')) {
      this.mayRetry = false;
      this.pool.dispatch(this.dispatched, this);
      return;
    }
    this.refuse(this.refusalOf(error));
  }

  /** Our own refusals stay as they are: the client's body may be at fault. */
  private refusalOf(error: Error): Refusal {
    if (error instanceof Refusal) return error;
    const text = 'The homeserver could not be reached for a passed-through request';
    this.options.log.warn({ err: error }, text);
    return new Refusal('homeserver_unreachable', { cause: error });
  }

  private sendHead(): void {
    this.response.writeHead(this.status, this.head);
  }

  /** What was held goes on, and the rest behind it as it comes. */
  private release(held: HeldAnswer): Buffer {
    this.held = undefined;
    this.sendHead();
    return held.bytes();
  }

  /** Undefined if the answer may go out at once. */
  private checkHeld(held: HeldAnswer): Promise<void> | undefined {
    const content = held.content();
    if (content === 'large') return undefined;
    // We have asked for no encoding that we cannot read, and a login could be in it.
    if (content === 'unreadable') return Promise.reject(new Refusal('homeserver_unclear'));
    return this.check?.(content);
  }

  private end(trailers: readonly (Buffer | string)[] | null): void {
    const rest = this.held === undefined ? this.early : this.release(this.held);
    this.early = undefined;
    if (trailers !== null && trailers.length > 0)
      this.response.addTrailers(inPairs(downstreamHeaders(trailers)));
    this.response.end(rest);
  }

  private withhold(error: unknown): void {
    this.options.log.warn({ err: error }, 'An answer of the homeserver was held back: it could be a login');
    this.refuse(error);
  }

  private refuse(error: unknown): void {
    sendAnswer(this.response, refusalAnswer(error, this.options.log));
  }

  /** The client has its answer, or has gone: then the homeserver need not go on. */
  endWithClient(): void {
    if (!this.response.writableFinished) this.abort?.(new Error('the client went away'));
  }

  /** Headers must not wait for a body that comes much later. */
  sendEarly(): void {
    if (!this.isFresh) return;
    this.isFresh = false;
    const { early } = this;
    this.early = undefined;
    if (early !== undefined) this.response.write(early);
    else if (!this.response.writableEnded) this.response.flushHeaders();
  }
}

/** At the end of the turn. A function of its own, so that none is made for each answer. */
function sendEarly(relay: Relay): void {
  relay.sendEarly();
}
