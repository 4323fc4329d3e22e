/**
 * Clients that mean harm, a kind after the other, against `serve` before a stub homeserver: what other users wait for a
 * sign-in and for a request that is passed on, beside what they wait before and after, and how much memory it takes. The
 * bound on memory holds or the bench fails; times are for reading.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Scene } from '../test/storm/scene.ts';
import { LOGIN, passwordLogin } from '../test/support/app.ts';
import { call } from '../test/support/http.ts';
import { cpuMs } from './support/cpu_time.ts';
import { KINDS } from './support/hostile_sender.ts';
import { startPinned } from './support/pinned.ts';
import { median, quantile } from './support/rates.ts';
import type { BenchResult } from './support/results.ts';

const SENDER_CORE = 1;
const SAMPLES = 150;
const SETTLE_MS = 2_000;
/** More than before the first attack, in MiB: 10,000 connections, or as many unfinished bodies as are kept at once. */
const MEMORY_BOUND_MIB = 300;
const MIB = 1024;
const WHOAMI = '/_matrix/client/v3/account/whoami';

interface Waits {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

interface Measured {
  readonly passed: Waits;
  readonly signIns: Waits;
}

/** How much of a core each process used while it was measured, in percent: who asks others to wait. */
interface CpuShares {
  readonly serve: number;
  readonly sender: number;
  /** The homeserver and the client that measures. */
  readonly bench: number;
}

/** Measures and prints. @throws if memory was not bounded, or a request was not served */
export async function run(
  report: (results: readonly BenchResult[]) => void = () => undefined,
): Promise<void> {
  // As made by the first release: wrong codes can be told by nothing but the slow hash.
  const scene = await Scene.start(1, 1, { hasTags: false });
  const results: BenchResult[] = [];
  try {
    await measure(scene);
    const idleMib = residentMib(scene);
    console.log(
      '                     memory   passed on, p50 and p99     sign-in, p50 and p99      (ms; during / before)',
    );
    for (const kind of KINDS) results.push(...(await underAttack(scene, kind, idleMib)));
  } finally {
    await scene.end();
  }
  report(results);
  requireBounds(results);
}

async function underAttack(scene: Scene, kind: string, idleMib: number): Promise<BenchResult[]> {
  const before = await measure(scene);
  const script = fileURLToPath(new URL('./support/hostile_sender.ts', import.meta.url));
  const sender = await startPinned(SENDER_CORE, script, [String(scene.port), kind]);
  let peakMib = residentMib(scene);
  const watch = setInterval(() => {
    peakMib = Math.max(peakMib, residentMib(scene));
  }, 100);
  try {
    await pause(SETTLE_MS);
    const pids = { serve: scene.serve.child.pid ?? 0, sender: sender.pid, bench: process.pid };
    const [during, shares] = await withShares(pids, () => measure(scene));
    const grownMib = Math.max(0, peakMib - idleMib);
    console.log(lineOf(kind, grownMib, before, during));
    console.log(`${''.padEnd(18)} cores: ${textOfShares(shares)}`);
    return [...resultsOf(kind, grownMib, before, during), ...shareResults(kind, shares)];
  } finally {
    clearInterval(watch);
    await sender.stop();
    await pause(SETTLE_MS);
  }
}

async function withShares<T>(
  pids: Readonly<Record<keyof CpuShares, number>>,
  work: () => Promise<T>,
): Promise<[T, CpuShares]> {
  const used = () => ({ serve: cpuMs(pids.serve), sender: cpuMs(pids.sender), bench: cpuMs(pids.bench) });
  const [begun, before] = [performance.now(), used()];
  const done = await work();
  const [ms, after] = [performance.now() - begun, used()];
  const share = (who: keyof CpuShares) => ((after[who] - before[who]) / ms) * 100;
  return [done, { serve: share('serve'), sender: share('sender'), bench: share('bench') }];
}

function textOfShares({ serve, sender, bench }: CpuShares): string {
  const [ours, theirs, rest] = [serve, sender, bench].map((share) => `${share.toFixed(0)} %`);
  return `serve ${ours}, sender ${theirs}, homeserver and measuring client ${rest}`;
}

function shareResults(kind: string, shares: CpuShares): BenchResult[] {
  const unit = '% of a core';
  return Object.entries(shares).map(([who, value]) => ({
    ...{ name: `${kind}: CPU, ${who}`, value, unit, ratio_to: null },
  }));
}

function lineOf(kind: string, grownMib: number, before: Measured, during: Measured): string {
  const ratio = (now: number, then: number) =>
    `${now.toFixed(1)} / ${then.toFixed(1)} = ${(now / then).toFixed(2)}`;
  const compared = (now: Waits, then: Waits) =>
    `${ratio(now.p50Ms, then.p50Ms)}, ${ratio(now.p99Ms, then.p99Ms)}`;
  const failed = during.passed.failed + during.signIns.failed;
  return `${kind.padEnd(18)} +${String(grownMib).padStart(4)} MiB  ${compared(during.passed, before.passed)};  ${compared(during.signIns, before.signIns)}${failed > 0 ? `; ${failed} not served` : ''}`;
}

function resultsOf(kind: string, grownMib: number, before: Measured, during: Measured): BenchResult[] {
  const one = (name: string, value: number, unit: string, ratio_to: string | null = null): BenchResult => ({
    name: `${kind}: ${name}`,
    value,
    unit,
    ratio_to: ratio_to === null ? null : `${kind}: ${ratio_to}`,
  });
  return [
    one('memory', grownMib, 'MiB'),
    one('not served', during.passed.failed + during.signIns.failed, 'requests'),
    one('passed on before', before.passed.p50Ms, 'ms'),
    one('passed on', during.passed.p50Ms, 'ms', 'passed on before'),
    one('sign-in before', before.signIns.p50Ms, 'ms'),
    one('sign-in', during.signIns.p50Ms, 'ms', 'sign-in before'),
  ];
}

function requireBounds(results: readonly BenchResult[]): void {
  const broken = results.filter(
    ({ name, value }) =>
      (name.endsWith(': memory') && value > MEMORY_BOUND_MIB) || (name.endsWith(': not served') && value > 0),
  );
  if (broken.length > 0)
    throw new Error(
      `the bounds do not hold: ${broken.map(({ name, value }) => `${name} ${value}`).join(', ')}`,
    );
}

/** Another user, at another address, asks one after the other. */
async function measure(scene: Scene): Promise<Measured> {
  const { token } = scene.stub.signIn('guest0');
  const passed = await waitsOf(() => call(scene.serve.url, { target: WHOAMI, token, ...from() }));
  const signIns = await waitsOf(async () => {
    const json = passwordLogin('guest0', 'correct horse');
    const login = await call(scene.serve.url, { target: LOGIN, json, ...from() });
    scene.stub.clear();
    return login;
  });
  return { passed, signIns };
}

function from() {
  return { headers: { 'x-forwarded-for': '192.0.2.7' }, signal: AbortSignal.timeout(30_000) };
}

async function waitsOf(ask: () => Promise<{ readonly status: number }>): Promise<Waits> {
  const waits: number[] = [];
  let failed = 0;
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const begun = performance.now();
    const status = await ask().then(
      (answer) => answer.status,
      () => 0,
    );
    if (status !== 200) failed += 1;
    waits.push(performance.now() - begun);
  }
  return { p50Ms: median(waits), p99Ms: quantile(waits, 0.99), failed };
}

function residentMib({ serve }: Scene): number {
  const status = readFileSync(`/proc/${serve.child.pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / MIB);
}
