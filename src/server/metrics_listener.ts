import type { ServerResponse } from 'node:http';
import type { Readiness } from '../discovery/readiness.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { LookUp, Metrics } from './metrics.ts';
import { SideListener } from './side_listener.ts';

export interface MetricsListenerDeps {
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  readonly lookUp: LookUp;
}

/** The listener for those who watch: metrics, health and readiness, apart from where clients come in. */
export function metricsListener(deps: MetricsListenerDeps): SideListener {
  return new SideListener(({ url = '' }, response) => answer(url, response, deps));
}

async function answer(
  target: string,
  response: ServerResponse,
  { metrics, readiness, lookUp }: MetricsListenerDeps,
): Promise<void> {
  const [path] = target.split('?', 1);
  if (path === '/metrics') {
    const text = await metrics.text(lookUp);
    response.writeHead(200, { 'Content-Type': metrics.contentType }).end(text);
  } else if (path === '/_2fa/health') sendAnswer(response, readiness.health());
  else if (path === '/_2fa/ready') sendAnswer(response, await readiness.ready());
  else sendAnswer(response, { status: 404, body: new Refusal('unrecognized').body() });
}
