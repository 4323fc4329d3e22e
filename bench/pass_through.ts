/**
 * Pass-through against nginx, side by side in one run and by turns: the same upstream, each proxy on one core, the
 * upstream and the load generator on another.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LoadResult } from './support/load_generator.ts';
import { isNginxInstalled, startNginx } from './support/nginx.ts';
import { canPin, runPinned, startPinned } from './support/pinned.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const CONNECTIONS = 32;
const ROUNDS = 5;
const ROUND_SECONDS = 2;
const PATH = '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/messages?dir=b&limit=20';

/** Clock ticks a second in /proc, on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** What one proxy made in a round, or in the median of all rounds. */
interface Rate {
  readonly perSecond: number;
  /** Requests in one second of the proxy's own CPU time: other load on the machine blurs it less. */
  readonly perCpuSecond: number;
  readonly p50Ms: number;
}

interface Contender {
  readonly port: number;
  readonly pid: number;
}

/** Measures and prints, or says what is missing. */
export async function run(): Promise<void> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    console.log(`pass-through: left out, because ${missing}`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'pass-through-bench-'));
  const stops: (() => Promise<void>)[] = [];
  try {
    const upstream = await startNginx(
      LOAD_CORE,
      folder,
      '',
      `default_type application/json; return 200 '${page()}';`,
    );
    stops.push(upstream.stop);
    const nginx = await startNginx(PROXY_CORE, folder, upstreamBlock(upstream.port), PROXY_DIRECTIVES);
    stops.push(nginx.stop);
    const proxy = await startPinned(PROXY_CORE, support('bench_proxy.ts'), [
      `http://127.0.0.1:${upstream.port}`,
    ]);
    stops.push(proxy.stop);
    await compare(nginx, { port: Number(proxy.firstLine), pid: proxy.pid }, upstream.port);
  } finally {
    await Promise.all(stops.map((stop) => stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

function whatIsMissing(): string | undefined {
  if (!isNginxInstalled()) return 'there is no nginx (apt-get install nginx, or set NGINX to its path)';
  if (!canPin()) return 'processes cannot be pinned to a core (taskset, from util-linux, on Linux)';
  if (availableParallelism() < 2) return 'it needs two cores: one for the proxies, one for upstream and load';
  return undefined;
}

async function compare(nginx: Contender, ours: Contender, upstreamPort: number): Promise<void> {
  const alone = await load(upstreamPort);
  await load(ours.port);
  const rounds: { nginx: Rate; ours: Rate }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ nginx: await measure(nginx), ours: await measure(ours) });
  }
  const [theirs, own] = [
    medianRate(rounds.map((round) => round.nginx)),
    medianRate(rounds.map((round) => round.ours)),
  ];
  console.log(`pass-through, ${CONNECTIONS} connections, median of ${ROUNDS} rounds by turns`);
  console.log(line('nginx', theirs));
  console.log(line('ours', own));
  console.log(
    `ratio        ${ratio(own.perSecond, theirs.perSecond)} of nginx's rate (goal 0.35, at least 0.30), ` +
      `${ratio(own.perCpuSecond, theirs.perCpuSecond)} by CPU time, p50 ${ratio(own.p50Ms, theirs.p50Ms)}×`,
  );
  console.log(`(the upstream without a proxy: ${alone.requestsPerSecond.toFixed(0)}/s)`);
}

async function measure(contender: Contender): Promise<Rate> {
  const before = cpuSeconds(contender.pid);
  const result = await load(contender.port);
  const used = cpuSeconds(contender.pid) - before;
  if (result.failures > 0) throw new Error(`${result.failures} requests failed`);
  return { perSecond: result.requestsPerSecond, perCpuSecond: result.requests / used, p50Ms: result.p50Ms };
}

async function load(port: number): Promise<LoadResult> {
  const args = [String(port), String(CONNECTIONS), String(ROUND_SECONDS), PATH];
  return JSON.parse(await runPinned(LOAD_CORE, support('load_generator.ts'), args)) as LoadResult;
}

/** User and system time of a process. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function medianRate(rates: readonly Rate[]): Rate {
  return {
    perSecond: median(rates.map((rate) => rate.perSecond)),
    perCpuSecond: median(rates.map((rate) => rate.perCpuSecond)),
    p50Ms: median(rates.map((rate) => rate.p50Ms)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function line(name: string, { perSecond, perCpuSecond, p50Ms }: Rate): string {
  const rates = `${perSecond.toFixed(0).padStart(6)}/s  ${perCpuSecond.toFixed(0).padStart(6)} per CPU second`;
  return `${name.padEnd(12)} ${rates}  p50 ${p50Ms.toFixed(2)} ms`;
}

function ratio(ours: number, theirs: number): string {
  return (ours / theirs).toFixed(2);
}

/** An answer of the usual size. */
function page(): string {
  const event = {
    type: 'm.room.message',
    sender: '@alice:example.org',
    content: { msgtype: 'm.text', body: 'hello' },
  };
  return JSON.stringify({ start: 't1', end: 't2', chunk: Array.from({ length: 8 }, () => event) });
}

function upstreamBlock(port: number): string {
  return `upstream homeserver { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000000; }`;
}

const PROXY_DIRECTIVES = `
  proxy_pass http://homeserver;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;`;

function support(script: string): string {
  return fileURLToPath(new URL(`./support/${script}`, import.meta.url));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
