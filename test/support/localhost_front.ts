import { createServer, request as forward, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A name that browsers bind passkeys to, before an application whose port is not known yet. */
export class LocalhostFront {
  private readonly server: Server;
  target = '';

  constructor() {
    this.server = createServer((request, response) => {
      const { method, headers, url = '/' } = request;
      const asked = forward(`${this.target}${url}`, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      asked.on('error', () => response.destroy());
      request.pipe(asked);
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  /** The settings of an application that browsers find here. */
  get settings(): string {
    return `webauthn: { rp_id: localhost, origins: ["${this.url}"] }`;
  }

  get url(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}
