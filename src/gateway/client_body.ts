import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * The body of a client's request, streamed on with back-pressure. A stream of its own, because the dispatcher destroys
 * the stream that it was given when the homeserver answers early; the client's connection has to outlive that.
 */
export class ClientBody extends Readable {
  readonly #request: IncomingMessage;

  constructor(request: IncomingMessage) {
    super();
    this.#request = request;
    // The dispatcher takes its own listener off where it cannot connect; an error without one ends the process.
    this.on('error', () => undefined);
    request.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) request.pause();
    });
    request.on('end', () => this.push(null));
    request.on('error', (error) => this.destroy(error));
    request.on('close', () => {
      if (!request.complete) this.destroy(new Error('the client went away'));
    });
  }

  override _read(): void {
    this.#request.resume();
  }
}
