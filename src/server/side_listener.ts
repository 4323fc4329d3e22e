import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../config/config.ts';

/** Answers a request; what it throws ends the connection. */
export type AnswerRequest = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A listener beside the one for clients: for those who watch, or who administrate. */
export class SideListener {
  private readonly server: Server;
  private host = '';

  constructor(answer: AnswerRequest) {
    this.server = createServer((request, response) => {
      response.on('error', () => undefined);
      answer(request, response).catch(() => response.destroy());
    });
  }

  /** Where it is; undefined while it does not listen. */
  get url(): string | undefined {
    return this.server.listening ? urlOf(this.server, this.host) : undefined;
  }

  /** Rejects if the address cannot be had. */
  async listen({ host, port }: ListenAddress): Promise<void> {
    this.host = host;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Where a server listens. */
export function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
