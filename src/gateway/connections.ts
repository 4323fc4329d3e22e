import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as Listener, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { SECOND } from '../system/clock.ts';

/** How long idle connections stay open at the end, in ms: a request may be on its way on any of them. */
const LAST_REQUESTS_MS = 2 * SECOND;
/** How often, after that, connections that have become idle are closed. */
const IDLE_SWEEP_MS = 50;

/**
 * The connections of clients. Those on which no request is under way, with an unfinished head or idle, are bounded:
 * beyond `most` the one that has waited longest is closed, so that a flood of them keeps no one out (attack 123).
 */
export class Connections {
  /** The longest waiting first. */
  private readonly waiting = new Set<Socket>();
  /** Answers to requests that are under way. */
  private readonly answers = new Set<ServerResponse>();
  private isEnding = false;

  constructor(
    private readonly server: Server,
    private readonly most: number,
  ) {
    server.on('connection', (socket: Socket) => {
      socket.once('close', () => this.waiting.delete(socket));
      this.wait(socket);
    });
  }

  /** A request has begun on its connection, which waits again after the answer. */
  serve({ socket }: IncomingMessage, response: ServerResponse): void {
    this.waiting.delete(socket);
    this.answers.add(response);
    if (this.isEnding) endConnectionAfter(response);
    response.on('close', () => {
      this.answers.delete(response);
      if (!socket.destroyed) this.wait(socket);
    });
  }

  /**
   * Stops accepting at once. Idle connections stay for two seconds, as a web server in front may be sending on one:
   * each answer from now on says that it is the last on its connection. Cuts off what is not done in `graceMs`.
   */
  async end(graceMs: number): Promise<void> {
    this.isEnding = true;
    for (const response of this.answers) endConnectionAfter(response);
    const closed = this.stopListening();
    const cutOff = setTimeout(() => this.server.closeAllConnections(), graceMs);
    await Promise.race([closed, delay(Math.min(LAST_REQUESTS_MS, graceMs), undefined, { ref: false })]);
    const sweep = setInterval(() => this.server.closeIdleConnections(), IDLE_SWEEP_MS);
    await closed;
    clearTimeout(cutOff);
    clearInterval(sweep);
  }

  /** Resolves once no connection is left. */
  private stopListening(): Promise<void> {
    if (!this.server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      // That of an HTTP server would close idle connections, too.
      Listener.prototype.close.call(this.server, () => resolve());
    });
  }

  private wait(socket: Socket): void {
    this.waiting.add(socket);
    if (this.waiting.size <= this.most) return;
    const [longest] = this.waiting;
    longest?.destroy();
  }
}

/** Node says `Connection: close` then; a head that is on its way stays as it is. */
function endConnectionAfter(response: ServerResponse): void {
  response.shouldKeepAlive = false;
}
