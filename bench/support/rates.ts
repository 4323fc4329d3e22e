import { fileURLToPath } from 'node:url';
import { cpuMs } from './cpu_time.ts';
import type { LoadResult } from './load_generator.ts';
import { runPinned } from './pinned.ts';

export const CONNECTIONS = 32;

/** How much load. */
export interface LoadSize {
  readonly connections: number;
  readonly seconds: number;
}

const USUAL: LoadSize = { connections: CONNECTIONS, seconds: 2 };

/** What one proxy made in a round, or in the median of all rounds. */
export interface Rate {
  readonly perSecond: number;
  /** Requests in one second of the proxy's own CPU time: other load on the machine blurs it less. */
  readonly perCpuSecond: number;
  readonly p50Ms: number;
}

export interface Contender {
  readonly port: number;
  readonly pid: number;
}

/** What is asked, again and again. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  /** By https, whatever the certificate is. */
  readonly tls?: boolean;
}

/** One round of load on a proxy. */
export async function measure(core: number, contender: Contender, asked: Asked, size = USUAL): Promise<Rate> {
  const before = cpuMs(contender.pid);
  const result = await load(core, contender.port, asked, size);
  const used = (cpuMs(contender.pid) - before) / 1000;
  if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
  return { perSecond: result.requestsPerSecond, perCpuSecond: result.requests / used, p50Ms: result.p50Ms };
}

/** One round of load from `core` on a port. */
export async function load(
  core: number,
  port: number,
  { method, path, tls }: Asked,
  { connections, seconds } = USUAL,
): Promise<LoadResult> {
  const script = fileURLToPath(new URL('./load_generator.ts', import.meta.url));
  const args = [String(port), String(connections), String(seconds), path, method, tls ? 'tls' : ''];
  return JSON.parse(await runPinned(core, script, args)) as LoadResult;
}

export function medianRate(rates: readonly Rate[]): Rate {
  return {
    perSecond: median(rates.map((rate) => rate.perSecond)),
    perCpuSecond: median(rates.map((rate) => rate.perCpuSecond)),
    p50Ms: median(rates.map((rate) => rate.p50Ms)),
  };
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** @param part of the values that are smaller, from 0 to 1 */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
}

/** An answer of the usual size. */
export function page(): string {
  const event = {
    type: 'm.room.message',
    sender: '@alice:example.org',
    content: { msgtype: 'm.text', body: 'hello' },
  };
  return JSON.stringify({ start: 't1', end: 't2', chunk: Array.from({ length: 8 }, () => event) });
}
