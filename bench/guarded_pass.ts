/**
 * What guarded calls cost users without 2FA: through us and directly at the same homeserver (the stub), by turns,
 * one request after the other. Ours are two round trips, whose token it is and the call itself.
 */
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { startApp } from '../test/support/app.ts';

const PATH = '/_matrix/client/v3/delete_devices';
const ROUNDS = 5;
const CALLS = 400;

export interface GuardedPass {
  /** Medians, in milliseconds. */
  readonly directMs: number;
  readonly throughUsMs: number;
  readonly ratio: number;
  /** Requests that reach the homeserver for one call through us. */
  readonly requestsPerCall: number;
}

/** Measures both side by side. */
export async function measureGuardedPass(): Promise<GuardedPass> {
  const app = await startApp({
    users: [
      { name: 'alice', password: 'alices password' },
      { name: 'bob', password: 'x' },
    ],
  });
  const agent = new Agent({ keepAliveTimeout: 60_000 });
  try {
    // One user has 2FA, so that alice has to be looked up.
    await app.enrol('bob');
    const { token } = app.stub.signIn('alice');
    const calls = async (url: string): Promise<number[]> => {
      const times: number[] = [];
      for (let call = 0; call < CALLS; call += 1) times.push(await timedCall(agent, url, token));
      app.stub.clear();
      return times;
    };
    await calls(app.stub.url);
    await calls(app.url);
    const direct: number[] = [];
    const throughUs: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      direct.push(...(await calls(app.stub.url)));
      throughUs.push(...(await calls(app.url)));
    }
    await timedCall(agent, app.url, token);
    const requestsPerCall = app.stub.requests.length;
    const [directMs, throughUsMs] = [median(direct), median(throughUs)];
    return { directMs, throughUsMs, ratio: throughUsMs / directMs, requestsPerCall };
  } finally {
    await agent.close();
    await app.stop();
  }
}

/** Measures and prints. */
export async function run(): Promise<void> {
  const { directMs, throughUsMs, ratio, requestsPerCall } = await measureGuardedPass();
  console.log(`directly    ${directMs.toFixed(2)} ms`);
  console.log(`through us  ${throughUsMs.toFixed(2)} ms  (${requestsPerCall} requests at the homeserver)`);
  console.log(`ratio: ${ratio.toFixed(2)}×`);
}

async function timedCall(agent: Agent, url: string, token: string): Promise<number> {
  const began = performance.now();
  const { statusCode, body } = await request(url + PATH, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{"devices":["NOWHERE"]}',
    dispatcher: agent,
  });
  await body.dump();
  if (statusCode !== 401) throw new Error(`a guarded call was answered with ${statusCode}`);
  return performance.now() - began;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
