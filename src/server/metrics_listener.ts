import { createServer, type Server, type ServerResponse } from 'node:http';
import type { ListenAddress } from '../config/config.ts';
import type { Readiness } from '../discovery/readiness.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { LookUp, Metrics } from './metrics.ts';

export interface MetricsListenerDeps {
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly lookUp: LookUp;
}

/** The listener for those who watch: metrics, health and readiness, apart from where clients come in. */
export class MetricsListener {
  readonly server: Server;

  constructor(private readonly deps: MetricsListenerDeps) {
    this.server = createServer((request, response) => {
      response.on('error', () => undefined);
      this.answer(request.url ?? '', response).catch(() => response.destroy());
    });
  }

  /** Answers with where it listens. Rejects if the address cannot be had. */
  async listen({ host, port }: ListenAddress): Promise<void> {
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

  private async answer(target: string, response: ServerResponse): Promise<void> {
    const { metrics, readiness, lookUp } = this.deps;
    const [path] = target.split('?', 1);
    if (path === '/metrics') {
      const text = await metrics.text(lookUp);
      response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text);
    } else if (path === '/_2fa/health') sendAnswer(response, readiness.health());
    else if (path === '/_2fa/ready') sendAnswer(response, await readiness.ready());
    else sendAnswer(response, { status: 404, body: new Refusal('unrecognized').body() });
  }
}
