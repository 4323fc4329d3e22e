import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Bounds the connections on which no request is under way: those with an unfinished head, and idle ones. Beyond
 * `most` the one that has waited longest is closed, so that a flood of them keeps no one out (attack 123).
 */
export class WaitingConnections {
  /** The longest waiting first. */
  private readonly waiting = new Set<Socket>();

  constructor(
    server: Server,
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
    response.once('close', () => {
      if (!socket.destroyed) this.wait(socket);
    });
  }

  private wait(socket: Socket): void {
    this.waiting.add(socket);
    if (this.waiting.size <= this.most) return;
    const [longest] = this.waiting;
    longest?.destroy();
  }
}
