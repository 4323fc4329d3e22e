import { createServer, request as forward, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A name that browsers bind passkeys to, before an application whose port is not known yet. */
export class LocalhostFront {
  private readonly server: Server;
  target = '';
  #losing: string | undefined;

  /** @param secret key and certificate in PEM, where clients are to come by TLS */
  constructor(private readonly secret?: { readonly key: Buffer; readonly cert: Buffer }) {
    const serve: RequestListener = (request, response) => {
      const { method, headers, url = '/' } = request;
      const asked = forward(`${this.target}${url}`, { method, headers }, (answer) => {
        if (url === this.#losing) {
          this.#losing = undefined;
          response.destroy();
          return;
        }
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      asked.on('error', () => response.destroy());
      request.pipe(asked);
    };
    this.server = secret === undefined ? createServer(serve) : createSecureServer(secret, serve);
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  /** The next answer to this target comes into being, and does not arrive. */
  loseAnswerOf(target: string): void {
    this.#losing = target;
  }

  /** The settings of an application that browsers find here. */
  get settings(): string {
    return `webauthn: { rp_id: localhost, origins: ["${this.url}"] }`;
  }

  get url(): string {
    return `${this.secret === undefined ? 'http' : 'https'}://localhost:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}
