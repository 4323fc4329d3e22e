import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as Listener, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turnOfEventLoop } from 'node:timers/promises';
import { SECOND } from '../system/clock.ts';

/** How long idle connections stay open at the end, in ms: a request may be on its way on any of them. */
const LAST_REQUESTS_MS = 2 * SECOND;
/** How often, after that, connections that have become idle are closed. */
const IDLE_SWEEP_MS = 50;
/** Requests of one connection that wait for those before them. No browser and no web server sends any. */
const MOST_BEHIND = 16;
/** Turns of the event loop in which connections of the kernel's queue are taken at the end: more than its queue holds. */
const MOST_LAST_TURNS = 5_000;

type Admit = (request: IncomingMessage, response: ServerResponse) => void;
type Waiting = readonly [IncomingMessage, ServerResponse, Admit];

/**
 * The connections of clients. Those on which no request is under way, with an unfinished head or idle, are bounded:
 * beyond `most` the one that has waited longest is closed, so that a flood of them keeps no one out (attack 123).
 *
 * Requests of one connection are begun one after the other, as they are answered in this order anyway (RFC 9112 section
 * 9.3.2): of a client that sends many without waiting for the answers, too, no more than one is done at a time.
 */
export class Connections {
  /** The longest waiting first. */
  private readonly waiting = new Set<Socket>();
  /** Those on which a request is under way, with the answer to it. */
  private readonly busy = new Map<Socket, ServerResponse>();
  /** Those on which a request has been begun. */
  private readonly known = new WeakSet<Socket>();
  /** Requests that came while another one was under way on their connection. */
  private readonly behind = new Map<Socket, Waiting[]>();
  private isEnding = false;
  /** How many there were since the start. */
  private taken = 0;

  constructor(
    private readonly server: Server,
    private readonly most: number,
  ) {
    server.on('connection', (socket: Socket) => {
      this.taken += 1;
      socket.once('close', () => {
        this.waiting.delete(socket);
        this.busy.delete(socket);
        this.behind.delete(socket);
      });
      this.wait(socket);
    });
  }

  /** A request has come: it begins, now or after those before it on its connection, which waits again after the answer. */
  serve(request: IncomingMessage, response: ServerResponse, admit: Admit): void {
    const { socket } = request;
    // Its connection was cut off by `queue`, and this one had been read already.
    if (socket.destroyed) request.destroy();
    else if (this.busy.has(socket)) this.queue(socket, [request, response, admit]);
    else if (this.known.has(socket)) this.begin(request, response, admit);
    else this.beginFirst(request, response, admit);
  }

  /** Begins one turn of the event loop later: if its connection sends too much at once, `queue` has cut it off by then. */
  private beginFirst(...first: Waiting): void {
    const [{ socket }, response] = first;
    this.known.add(socket);
    this.busy.set(socket, response);
    this.waiting.delete(socket);
    setImmediate(() => {
      if (!socket.destroyed) this.begin(...first);
    });
  }

  private begin(request: IncomingMessage, response: ServerResponse, admit: Admit): void {
    const { socket } = request;
    this.waiting.delete(socket);
    this.busy.set(socket, response);
    if (this.isEnding) endConnectionAfter(response);
    response.on('close', () => this.goOn(socket));
    admit(request, response);
  }

  /** Cuts off a client that sends more requests behind one another than anyone needs. */
  private queue(socket: Socket, next: Waiting): void {
    const behind = this.behind.get(socket) ?? [];
    behind.push(next);
    this.behind.set(socket, behind);
    if (behind.length <= MOST_BEHIND) return;
    socket.destroy();
    // Otherwise Node ends each with an error, and its stack takes longer than all the rest.
    for (const [request] of behind) request.destroy();
  }

  private goOn(socket: Socket): void {
    // That was the last answer on this connection.
    if (!socket.writable) return;
    const next = this.behind.size === 0 ? undefined : this.behind.get(socket)?.shift();
    if (next !== undefined) this.begin(...next);
    else {
      this.busy.delete(socket);
      this.wait(socket);
    }
  }

  /**
   * Stops accepting at once, but for what the kernel has taken already. Idle connections stay for two seconds, as a web
   * server in front may be sending on one: each answer from now on says that it is the last on its connection. Cuts off
   * what is not done in `graceMs`.
   */
  async end(graceMs: number): Promise<void> {
    this.isEnding = true;
    for (const response of this.busy.values()) endConnectionAfter(response);
    await this.takeWhatWaits();
    const closed = this.stopListening();
    const cutOff = setTimeout(() => this.server.closeAllConnections(), graceMs);
    await Promise.race([closed, delay(Math.min(LAST_REQUESTS_MS, graceMs), undefined, { ref: false })]);
    const sweep = setInterval(() => this.server.closeIdleConnections(), IDLE_SWEEP_MS);
    await closed;
    clearTimeout(cutOff);
    clearInterval(sweep);
  }

  /**
   * To their clients they are made, and the kernel would reset them with the listener: a web server in front may not send
   * again what it has sent on one.
   */
  private async takeWhatWaits(): Promise<void> {
    await turnOfEventLoop();
    for (let turn = 0, before = -1; turn < MOST_LAST_TURNS && this.taken !== before; turn += 1) {
      before = this.taken;
      await turnOfEventLoop();
    }
  }

  /** Resolves once no connection is left. */
  private stopListening(): Promise<void> {
    if (!this.server.listening) return Promise.resolve();
    return new Promise((resolve) => {
      // `close` of an HTTP server would close idle connections, too.
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
