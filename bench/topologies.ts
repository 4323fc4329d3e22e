/**
 * What a request costs us behind the shipped files of web servers: in the selective topology of nginx, where much goes
 * straight to the homeserver, beside the full one; and what one and two processes on one database make behind HAProxy.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startWebServer } from '../test/deploy/web_server.ts';
import { cpuMs } from './support/cpu_time.ts';
import type { LoadResult } from './support/load_generator.ts';
import { startPinned } from './support/pinned.ts';
import { load, median } from './support/rates.ts';
import { install, type RunningProgram, startProgram } from './support/real_program.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = 32;
/** Goes straight on in the selective topology. */
const STRAIGHT = '/_matrix/client/v3/sync?timeout=0';
/** Comes to us in both. */
const OURS = '/_matrix/client/v3/profile/%40alice%3Aexample.org';

interface Measured {
  readonly perSecond: number;
  /** Of all our processes, for each request. */
  readonly ownMs: number;
}

/** Measures and prints. */
export async function run({ seconds = 2, rounds = 3, report }: BenchRun): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'topologies-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const script = fileURLToPath(new URL('./support/answering_server.ts', import.meta.url));
    const homeserver = await startPinned(LOAD_CORE, script, []);
    running.push(homeserver);
    const installation = { folder, homeserver: `http://127.0.0.1:${homeserver.firstLine}` };
    install(installation);
    const first = await startProgram(PROXY_CORE, installation);
    const second = await startProgram(LOAD_CORE, installation);
    running.push(first, second);
    const times = { seconds, rounds };
    const results = [
      ...(await behindNginx(first, Number(homeserver.firstLine), times)),
      ...(await behindHaproxy([first, second], Number(homeserver.firstLine), times)),
    ];
    printResults(results);
    report(results);
    console.log(`(${availableParallelism()} cores: the second process shares one with load and homeserver)`);
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Times {
  readonly seconds: number;
  readonly rounds: number;
}

async function behindNginx(
  program: RunningProgram,
  homeserver: number,
  times: Times,
): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const topology of ['full', 'selective'] as const) {
    const server = await startWebServer('nginx', topology, { proxy: program.port, homeserver });
    try {
      for (const path of [STRAIGHT, OURS]) {
        const { perSecond, ownMs } = await measure(server.clients, path, [program], times);
        const of = (which: string) => `nginx, ${which}, ${path === STRAIGHT ? 'sync' : 'profile'}`;
        const ratioTo = (what: string) => (topology === 'full' ? null : `${of('full')}: ${what}`);
        results.push(
          { name: `${of(topology)}: rate`, value: perSecond, unit: 'requests/s', ratio_to: ratioTo('rate') },
          { name: `${of(topology)}: our CPU`, value: ownMs, unit: 'ms', ratio_to: ratioTo('our CPU') },
        );
      }
    } finally {
      await server.stop();
    }
  }
  return results;
}

async function behindHaproxy(
  programs: readonly RunningProgram[],
  homeserver: number,
  times: Times,
): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const count of [1, 2]) {
    const some = programs.slice(0, count);
    const [first] = some;
    const server = await startWebServer(
      'haproxy',
      'full',
      { proxy: first?.port ?? 0, homeserver },
      (shipped) => withServers(shipped, some),
    );
    try {
      const { perSecond, ownMs } = await measure(server.clients, OURS, some, times);
      const name = (processes: number) => `HAProxy, ${processes} of our processes`;
      const ratioTo = (what: string) => (count === 1 ? null : `${name(1)}: ${what}`);
      results.push(
        { name: `${name(count)}: rate`, value: perSecond, unit: 'requests/s', ratio_to: ratioTo('rate') },
        { name: `${name(count)}: our CPU`, value: ownMs, unit: 'ms', ratio_to: ratioTo('our CPU') },
      );
    } finally {
      await server.stop();
    }
  }
  return results;
}

/** The line of the one server, once for each process. */
function withServers(shipped: string, programs: readonly RunningProgram[]): string {
  const line = /^ +server proxy 127\.0\.0\.1:8010(.*)$/m;
  if (!line.test(shipped)) throw new Error('the shipped file has another line for the proxy');
  return shipped.replace(line, (_, rest) =>
    programs.map(({ port }, at) => `    server proxy${at} 127.0.0.1:${port}${rest}`).join('\n'),
  );
}

async function measure(
  clients: string,
  path: string,
  programs: readonly RunningProgram[],
  { seconds, rounds }: Times,
): Promise<Measured> {
  const port = Number(new URL(clients).port);
  const asked = { method: 'GET', path, tls: true };
  const cpu = () => programs.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  const all: Measured[] = [];
  for (let round = -1; round < rounds; round++) {
    const before = cpu();
    const result: LoadResult = await load(LOAD_CORE, port, asked, { connections: CONNECTIONS, seconds });
    if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
    const ownMs = (cpu() - before) / result.requests;
    if (round >= 0) all.push({ perSecond: result.requestsPerSecond, ownMs });
  }
  return {
    perSecond: median(all.map((each) => each.perSecond)),
    ownMs: median(all.map((each) => each.ownMs)),
  };
}
