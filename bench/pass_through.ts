/**
 * Passing requests on beside nginx, HAProxy, Caddy and the least that a proxy with undici can be, by turns in one run: the
 * same upstream, each proxy on one core, the upstream and the load generator on another.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type NamedContender, startContenders } from './support/contenders.ts';
import { isNginxInstalled, startNginx } from './support/nginx.ts';
import { canPin } from './support/pinned.ts';
import { load, measure, medianRate, page, type Rate } from './support/rates.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = [1, 16, 128, 1024];
const REFERENCE = 'nginx';
const GET = {
  method: 'GET',
  path: '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/messages?dir=b&limit=20',
};

/** Measures and prints, or says what is missing. */
export async function run({ seconds = 1.5, rounds = 3, report }: BenchRun): Promise<void> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    console.log(`pass-through: left out, because ${missing}`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'pass-through-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const answer = `default_type application/json; return 200 '${page()}';`;
    const upstream = await startNginx(LOAD_CORE, folder, '', answer);
    running.push(upstream);
    const contenders = await startContenders(PROXY_CORE, folder, upstream.port);
    running.push(...contenders);
    for (const connections of CONNECTIONS) {
      const results = await compare(contenders, connections, seconds, rounds);
      printResults(results);
      report(results);
    }
    const alone = await load(LOAD_CORE, upstream.port, GET, { connections: 128, seconds });
    console.log(`(the upstream without a proxy: ${alone.requestsPerSecond.toFixed(0)}/s)`);
    console.log('goals, of nginx: rate 0.32 and CPU 0.28 at 16 to 128 connections, 0.48 at one');
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a comparison of proxies needs; undefined if all is there. */
export function whatIsMissing(): string | undefined {
  if (!isNginxInstalled()) return 'there is no nginx (apt-get install nginx, or set NGINX to its path)';
  if (!canPin()) return 'processes cannot be pinned to a core (taskset, from util-linux, on Linux)';
  if (availableParallelism() < 2) return 'it needs two cores: one for the proxies, one for upstream and load';
  return undefined;
}

async function compare(
  contenders: readonly NamedContender[],
  connections: number,
  seconds: number,
  rounds: number,
): Promise<BenchResult[]> {
  const rates = new Map<NamedContender, Rate[]>(contenders.map((each) => [each, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [contender, measured] of rates) {
      const rate = await measure(LOAD_CORE, contender, GET, { connections, seconds });
      // The first round warms up.
      if (round >= 0) measured.push(rate);
    }
  }
  return [...rates].flatMap(([{ name }, measured]) => figures(name, connections, medianRate(measured)));
}

function figures(name: string, connections: number, rate: Rate): BenchResult[] {
  const of = (who: string, what: string) => `${connections} connections, ${what}: ${who}`;
  const figure = (what: string, value: number, unit: string): BenchResult => ({
    name: of(name, what),
    value,
    unit,
    ratio_to: name === REFERENCE ? null : of(REFERENCE, what),
  });
  return [
    figure('rate', rate.perSecond, 'requests/s'),
    figure('CPU', rate.perCpuSecond, 'requests/CPU s'),
    figure('p50', rate.p50Ms, 'ms'),
  ];
}
