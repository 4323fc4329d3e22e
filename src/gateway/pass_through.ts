import type { IncomingMessage, ServerResponse } from 'node:http';

import { type Dispatcher, Pool } from 'undici';

import type { ReadClientAddress } from '../http/client_address.ts';
import { refusalAnswer } from '../http/refusal_answer.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import { MINUTE, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { ClientBody } from './client_body.ts';
import { downstreamHeaders, upstreamHeaders } from './forwarding.ts';

/** Long polls must live at least 10 minutes (DESIGN §6); a homeserver silent for longer is gone. */
const SILENCE_LIMIT = 15 * MINUTE;

/** An upload that stands still for so long, while the homeserver would take more of it, is given up (attack 123). */
const UPLOAD_SILENCE = 5 * MINUTE;

/** Homeservers keep idle connections longer; a request that is not repeatable must not meet a dying one. */
const IDLE_LIMIT = 4 * SECOND;

const LOWEST_STATUS = 100;
/** Those below announce a later answer (RFC 9110 section 15.2). */
const LOWEST_FINAL_STATUS = 200;

/** How a connection that the homeserver had just closed fails. */
const STALE_CONNECTION: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** A passed-through request that has come to its end. */
export interface PassedThrough {
  readonly method: string;
  /** The homeserver's status; 502 if it could not be reached, 0 if the client went away before. */
  readonly status: number;
}

export interface PassThroughOptions {
  readonly upstream: URL;
  readonly readClientAddress: ReadClientAddress;
  readonly log: Log;
  readonly onPassThrough?: ((passed: PassedThrough) => void) | undefined;
  /** Milliseconds in which a client has to send more of its body; five minutes by default. */
  readonly uploadSilenceMs?: number | undefined;
}

/** Streams requests to the homeserver and its answers back. */
export class PassThrough {
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
    const client = this.#options.readClientAddress(request);
    const { headers, hasBody } = upstreamHeaders(request.rawHeaders, client);
    const dispatched: Dispatcher.DispatchOptions = {
      path: request.url as string,
      method: request.method as string,
      headers,
      body: hasBody ? new ClientBody(request, this.#options.uploadSilenceMs ?? UPLOAD_SILENCE) : null,
    };
    this.#pool.dispatch(dispatched, new Relay(this.#pool, dispatched, response, this.#options));
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
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #bodyBegun = false;
  #mayRetry: boolean;

  constructor(
    pool: Pool,
    dispatched: Dispatcher.DispatchOptions,
    response: ServerResponse,
    options: PassThroughOptions,
  ) {
    this.#pool = pool;
    this.#dispatched = dispatched;
    this.#response = response;
    this.#options = options;
    this.#mayRetry =
      dispatched.body === null && (dispatched.method === 'GET' || dispatched.method === 'HEAD');
    response.on('close', () => this.#onClientDone());
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
    this.#response.writeHead(status, downstreamHeaders(controller.rawHeaders as Buffer[]));
    this.#status = status;
    process.nextTick(() => this.#flushHeaders());
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBegun = true;
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const trailers = controller.rawTrailers as Buffer[];
    if (trailers.length > 0) this.#response.addTrailers(inPairs(downstreamHeaders(trailers)));
    this.#response.end();
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
    const refusal = this.#refusalOf(error);
    this.#status = refusal.status;
    sendAnswer(this.#response, refusalAnswer(refusal, this.#options.log));
  }

  /** Our own stand as they are: the client's body may be at fault. */
  #refusalOf(error: Error): Refusal {
    if (error instanceof Refusal) return error;
    const text = 'The homeserver could not be reached for a passed-through request';
    this.#options.log.warn({ err: error }, text);
    return new Refusal('homeserver_unreachable', { cause: error });
  }

  #onClientDone(): void {
    if (!this.#response.writableFinished) this.#controller?.abort(new Error('the client went away'));
    this.#options.onPassThrough?.({ method: this.#dispatched.method, status: this.#status });
  }

  /** Headers must not wait for a body that comes much later. */
  #flushHeaders(): void {
    if (!this.#bodyBegun && !this.#response.writableEnded) this.#response.flushHeaders();
  }
}

function inPairs(namesAndValues: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at < namesAndValues.length; at += 2) {
    pairs.push([namesAndValues[at] as string, namesAndValues[at + 1] as string]);
  }
  return pairs;
}
