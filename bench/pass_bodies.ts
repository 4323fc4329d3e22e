/** Bodies of 10 MiB, up and down, through the same proxies as in `pass_through`, by turns in one run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { whatIsMissing } from './pass_through.ts';
import type { BodyLoad } from './support/body_load.ts';
import { type NamedContender, startContenders } from './support/contenders.ts';
import { cpuMs } from './support/cpu_time.ts';
import { runPinned, startPinned } from './support/pinned.ts';
import { median } from './support/rates.ts';
import { type BenchResult, type BenchRun, printResults } from './support/results.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
const MIB = 1024 * 1024;
const BODY = 10 * MIB;
const AT_ONCE = 4;
const REFERENCE = 'nginx';

interface Throughput {
  readonly mibPerSecond: number;
  readonly cpuMsPerMib: number;
}

/** Measures and prints, or says what is missing. */
export async function run({ seconds = 2, rounds = 3, report }: BenchRun): Promise<void> {
  const missing = whatIsMissing();
  if (missing !== undefined) {
    console.log(`bodies: left out, because ${missing}`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'pass-bodies-bench-'));
  const running: { stop(): Promise<void> }[] = [];
  try {
    const upstream = await startPinned(LOAD_CORE, support('body_server.ts'), []);
    running.push(upstream);
    const contenders = await startContenders(PROXY_CORE, folder, Number(upstream.firstLine));
    running.push(...contenders);
    for (const direction of ['down', 'up']) {
      const results = await compare(contenders, direction, seconds, rounds);
      printResults(results);
      report(results);
    }
  } finally {
    await Promise.all(running.map((each) => each.stop()));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compare(
  contenders: readonly NamedContender[],
  direction: string,
  seconds: number,
  rounds: number,
): Promise<BenchResult[]> {
  const all = new Map<NamedContender, Throughput[]>(contenders.map((each) => [each, []]));
  for (let round = -1; round < rounds; round++) {
    for (const [contender, measured] of all) {
      const throughput = await measure(contender, direction, seconds);
      if (round >= 0) measured.push(throughput);
    }
  }
  return [...all].flatMap(([{ name }, measured]) => {
    const of = (who: string, what: string) => `10 MiB ${direction}, ${what}: ${who}`;
    const figure = (what: string, value: number, unit: string): BenchResult => ({
      ...{ name: of(name, what), value, unit },
      ratio_to: name === REFERENCE ? null : of(REFERENCE, what),
    });
    return [
      figure('rate', median(measured.map((each) => each.mibPerSecond)), 'MiB/s'),
      figure('CPU', median(measured.map((each) => each.cpuMsPerMib)), 'ms/MiB'),
    ];
  });
}

async function measure(
  { port, pid }: NamedContender,
  direction: string,
  seconds: number,
): Promise<Throughput> {
  const before = cpuMs(pid);
  const args = [String(port), direction, String(BODY), String(AT_ONCE), String(seconds)];
  const load = JSON.parse(await runPinned(LOAD_CORE, support('body_load.ts'), args)) as BodyLoad;
  const mib = load.bytes / MIB;
  return { mibPerSecond: mib / load.seconds, cpuMsPerMib: (cpuMs(pid) - before) / mib };
}

function support(script: string): string {
  return fileURLToPath(new URL(`./support/${script}`, import.meta.url));
}
