/**
 * What the last gate costs requests that are passed through: the same front door with and without it, by turns in one
 * run, on one core. Most requests are GETs, of which it sees nothing; the answers to POSTs it holds and looks through.
 */
import { fileURLToPath } from 'node:url';
import { canPin, startPinned } from './support/pinned.ts';
import { type Asked, type Contender, measure, median } from './support/rates.ts';

const PROXY_CORE = 0;
const LOAD_CORE = 1;
/** The same code by itself differs by up to a third from round to round. */
const ROUNDS = 25;
const PATH = '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/context';

/** Measures and prints, or says what is missing. */
export async function run(): Promise<void> {
  if (!canPin()) {
    console.log('egress gate: left out, because processes cannot be pinned to a core (taskset, on Linux)');
    return;
  }
  const stops: (() => Promise<void>)[] = [];
  const start = async (core: number, script: string, ...args: string[]): Promise<Contender> => {
    const started = await startPinned(core, support(script), args);
    stops.push(started.stop);
    return { port: Number(started.firstLine), pid: started.pid };
  };
  try {
    const upstream = `http://127.0.0.1:${(await start(LOAD_CORE, 'answering_server.ts')).port}`;
    const open = await start(PROXY_CORE, 'bench_proxy.ts', upstream);
    const gated = await start(PROXY_CORE, 'bench_proxy.ts', upstream, 'gated');
    for (const method of ['GET', 'POST']) await compare(open, gated, { method, path: PATH });
  } finally {
    await Promise.all(stops.map((stop) => stop()));
  }
}

async function compare(open: Contender, gated: Contender, asked: Asked): Promise<void> {
  await measure(LOAD_CORE, open, asked);
  await measure(LOAD_CORE, gated, asked);
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const [first, second] = round % 2 === 0 ? [open, gated] : [gated, open];
    const rates = new Map<Contender, number>();
    for (const each of [first, second]) rates.set(each, (await measure(LOAD_CORE, each, asked)).perCpuSecond);
    ratios.push((rates.get(gated) ?? Number.NaN) / (rates.get(open) ?? Number.NaN));
  }
  const spread = [Math.min(...ratios), Math.max(...ratios)].map((each) => each.toFixed(3)).join(' to ');
  console.log(
    `${asked.method.padEnd(4)} with the gate: ${median(ratios).toFixed(3)} of the rate without it, by CPU time ` +
      `(median of ${ROUNDS} pairs, ${spread}; goal 0.99)`,
  );
}

function support(script: string): string {
  return fileURLToPath(new URL(`./support/${script}`, import.meta.url));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
