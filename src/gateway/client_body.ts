import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { Refusal } from '../matrix/refusals.ts';
import { MINUTE } from '../system/clock.ts';

/** An upload that stands still for so long, while the homeserver would take more of it, is given up (attack 123). */
const UPLOAD_SILENCE = 5 * MINUTE;

/**
 * How much is read and thrown away of a body that is not needed any more, so that its sender gets to read the answer
 * instead of a broken connection.
 */
const DISCARDED_BYTES = 32 * 1024 * 1024;

/**
 * The body of a request. One that is there already, as most of the small ones are, is not made a stream: that would cost
 * more than the rest of the request.
 *
 * @param bytes how long it says that it is, if it does
 */
export function bodyOf(
  request: IncomingMessage,
  bytes: number | undefined,
  silenceMs: number | undefined,
): Buffer | ClientBody {
  const arrived = request.readableLength === bytes ? (request.read() as Buffer | null) : null;
  if (arrived === null) return new ClientBody(request, silenceMs);
  // Only to reach its end: before that the connection takes no other request.
  request.resume();
  return arrived;
}

/**
 * The body of a client's request, streamed on with back-pressure. A stream of its own, because the dispatcher destroys
 * the stream that it was given when the homeserver answers early; the client's connection has to outlive that.
 */
export class ClientBody extends Readable {
  readonly #request: IncomingMessage;
  /** Runs while the body is unfinished. */
  readonly #silence: NodeJS.Timeout;
  #discarded = 0;

  /** @param silenceMs how long the client may send nothing while the homeserver would take more */
  constructor(request: IncomingMessage, silenceMs = UPLOAD_SILENCE) {
    super();
    this.#request = request;
    // Node emits no 'close' for a request whose answer was sent before its connection went: such a body runs into
    // this time.
    this.#silence = setTimeout(() => this.#onSilence(), silenceMs).unref();
    // The dispatcher takes its own listener off where it cannot connect; an error without one ends the process.
    this.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => this.#onData(chunk));
    request.on('end', () => {
      clearTimeout(this.#silence);
      this.push(null);
    });
    request.on('error', (error) => this.destroy(error));
    request.on('close', () => {
      clearTimeout(this.#silence);
      if (!request.complete) this.destroy(new Error('the client went away'));
    });
  }

  override _read(): void {
    this.#silence.refresh();
    this.#request.resume();
  }

  /** Throws away what the client sends from now on; paused, its connection would never be closed. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#request.resume();
    callback(error);
  }

  #onData(chunk: Buffer): void {
    this.#silence.refresh();
    if (this.destroyed) this.#discard(chunk);
    else if (!this.push(chunk)) this.#request.pause();
  }

  #discard(chunk: Buffer): void {
    this.#discarded += chunk.length;
    if (this.#discarded > DISCARDED_BYTES) this.#request.socket.destroy();
  }

  #onSilence(): void {
    if (this.destroyed) this.#request.socket.destroy();
    else if (this.#request.isPaused()) this.#silence.refresh();
    else this.destroy(new Refusal('slow_body'));
  }
}
