import type { IncomingMessage, ServerResponse } from 'node:http';

import { type Dispatcher, Pool } from 'undici';

import type { PassedAnswer } from '../http/answer.ts';
import type { ReadClientAddress } from '../http/client_address.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { MINUTE, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
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

/** Of a connection that the homeserver had just closed. */
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

/** One answer on its way from the homeserver to the client. */
class Relay implements Dispatcher.DispatchHandler {
  readonly #pool: Pool;
  readonly #dispatched: Dispatcher.DispatchOptions;
  readonly #response: ServerResponse;
  readonly #options: PassThroughOptions;
  readonly #check: CheckContent | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #head: string[] = [];
  #held: HeldAnswer | undefined;
  #bodyBegun = false;
  #mayRetry: boolean;

  constructor(
    pool: Pool,
    dispatched: Dispatcher.DispatchOptions,
    response: ServerResponse,
    options: PassThroughOptions,
    check: CheckContent | undefined,
  ) {
    this.#check = check;
    this.#pool = pool;
    this.#dispatched = dispatched;
    this.#response = response;
    this.#options = options;
    this.#mayRetry = dispatched.method === 'GET' || dispatched.method === 'HEAD';
  }

  begin(body: Buffer | ClientBody | null): void {
    this.#dispatched.body = body;
    this.#mayRetry &&= body === null;
    this.#pool.dispatch(this.#dispatched, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#response.destroyed) controller.abort(new Error('the client went away'));
  }

  /**
   * The reason phrase stays behind: it means nothing (RFC 9112 section 4), and Node refuses odd ones. What cannot be
   * written throws here, and the dispatcher then ends the request in `onResponseError`.
   */
  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < LOWEST_STATUS) throw new Error(`the homeserver answered with the status ${status}`);
    if (status < LOWEST_FINAL_STATUS) return;
    this.#status = status;
    const head = downstreamHeaders(controller.rawHeaders as Buffer[]);
    this.#head = sandboxedMedia(this.#dispatched.path, head);
    if (this.#check !== undefined) this.#held = HeldAnswer.of(head);
    if (this.#held !== undefined) return;
    this.#sendHead();
    process.nextTick(() => this.#flushHeaders());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBegun = true;
    if (this.#held?.take(chunk) === true) return;
    const bytes = this.#held === undefined ? chunk : this.#release(this.#held);
    if (this.#response.write(bytes)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const trailers = controller.rawTrailers as Buffer[];
    const checking = this.#held === undefined ? undefined : this.#checkHeld(this.#held);
    if (checking === undefined) this.#end(trailers);
    else checking.then(() => this.#end(trailers)).catch((error: unknown) => this.#withhold(error));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.destroyed) return;
    if (this.#response.headersSent) {
      this.#response.destroy();
      return;
    }
    if (this.#mayRetry && STALE_CONNECTION.has((error as NodeJS.ErrnoException).code ?? '')) {
      this.#mayRetry = false;
      this.#pool.dispatch(this.#dispatched, this);
      return;
    }
    this.#refuse(this.#refusalOf(error));
  }

  /** Our own refusals stay as they are: the client's body may be at fault. */
  #refusalOf(error: Error): Refusal {
    if (error instanceof Refusal) return error;
    const text = 'The homeserver could not be reached for a passed-through request';
    this.#options.log.warn({ err: error }, text);
    return new Refusal('homeserver_unreachable', { cause: error });
  }

  #sendHead(): void {
    this.#response.writeHead(this.#status, this.#head);
  }

  /** What was held goes on, and the rest behind it as it comes. */
  #release(held: HeldAnswer): Buffer {
    this.#held = undefined;
    this.#sendHead();
    return held.bytes();
  }

  /** Undefined if the answer may go out at once. */
  #checkHeld(held: HeldAnswer): Promise<void> | undefined {
    const content = held.content();
    if (content === 'large') return undefined;
    // We have asked for no encoding that we cannot read, and a login could be in it.
    if (content === 'unreadable') return Promise.reject(new Refusal('homeserver_unclear'));
    return this.#check?.(content);
  }

  #end(trailers: readonly Buffer[]): void {
    const rest = this.#held === undefined ? undefined : this.#release(this.#held);
    if (trailers.length > 0) this.#response.addTrailers(inPairs(downstreamHeaders(trailers)));
    this.#response.end(rest);
  }

  #withhold(error: unknown): void {
    this.#options.log.warn({ err: error }, 'An answer of the homeserver was held back: it could be a login');
    this.#refuse(error);
  }

  #refuse(error: unknown): void {
    sendAnswer(this.#response, refusalAnswer(error, this.#options.log));
  }

  /** The client has its answer, or has gone: then the homeserver need not go on. */
  endWithClient(): void {
    if (!this.#response.writableFinished) this.#controller?.abort(new Error('the client went away'));
  }

  /** Headers must not wait for a body that comes much later. */
  #flushHeaders(): void {
    if (!this.#bodyBegun && !this.#response.writableEnded) this.#response.flushHeaders();
  }
}
