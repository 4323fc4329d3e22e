/**
 * Pass-through against nginx, side by side in one run and by turns: the same upstream, each proxy on one core, the
 * upstream and the load generator on another.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNginxInstalled, startNginx } from './support/nginx.ts';
import { canPin, startPinned } from './support/pinned.ts';
import { CONNECTIONS, type Contender, load, measure, medianRate, page, type Rate } from './support/rates.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const ROUNDS = 5;
const GET = {
  method: 'GET',
  path: '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/messages?dir=b&limit=20',
};

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
  const alone = await load(LOAD_CORE, upstreamPort, GET);
  await load(LOAD_CORE, ours.port, GET);
  const rounds: { nginx: Rate; ours: Rate }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({
      nginx: await measure(LOAD_CORE, nginx, GET),
      ours: await measure(LOAD_CORE, ours, GET),
    });
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

function line(name: string, { perSecond, perCpuSecond, p50Ms }: Rate): string {
  const rates = `${perSecond.toFixed(0).padStart(6)}/s  ${perCpuSecond.toFixed(0).padStart(6)} per CPU second`;
  return `${name.padEnd(12)} ${rates}  p50 ${p50Ms.toFixed(2)} ms`;
}

function ratio(ours: number, theirs: number): string {
  return (ours / theirs).toFixed(2);
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
