import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './built.ts';
import { type PinnedProcess, startPinned } from './pinned.ts';
import { type Contender, median, quantile } from './rates.ts';
import type { BenchResult } from './results.ts';
import type { EnrolledUser } from './tree_server.ts';

const PROXY_CORE = 0;
export const LOAD_CORE = 1;
/** Many short ones: what else the machine does hits both trees alike. */
const ROUNDS = 45;
/** As often both trees are started: where a process lies in memory, and what it compiles first, stays for all its life. */
const STARTS = 3;
/**
 * Until nothing of what is measured is compiled any more. Before that a sixth of the CPU time goes to compiling, and a tree with
 * more code spends more on it. After a few thousand sign-ins a process has compiled all that it uses often.
 */
const WARM_UP_ROUNDS = 35;

/** The application of one tree, running. */
export interface Tree extends Contender {
  readonly url: string;
  readonly users: readonly EnrolledUser[];
}

/** What is measured of one tree, by name: the less the better. */
export type Costs = Readonly<Record<string, number>>;

/** What is measured by turns. */
export interface Comparison {
  readonly what: string;
  measure(tree: Tree): Promise<Costs>;
}

export interface Comparing {
  /** The other tree: a worktree of its commit, with its node_modules. */
  readonly against: string;
  /** In this folder. */
  readonly homeserverScript: string;
  /** How many users have 2FA on. */
  readonly enrolled: number;
  readonly rounds?: number | undefined;
}

interface Pair {
  readonly before: Costs;
  readonly now: Costs;
}

/** Measures this tree and another one by turns before the same homeserver, and prints how each cost has changed. */
export async function compareTrees(
  { against, homeserverScript, enrolled, rounds = ROUNDS }: Comparing,
  comparisons: readonly Comparison[],
): Promise<BenchResult[]> {
  build(resolve(against));
  const pairs = new Map<string, Pair[]>();
  for (let start = 0; start < STARTS; start++) {
    await withTwoTrees(against, homeserverScript, enrolled, async (before, now) => {
      for (const { what, measure } of comparisons) {
        const taken = await takePairs(before, now, measure, Math.ceil(rounds / STARTS));
        pairs.set(what, [...(pairs.get(what) ?? []), ...taken]);
      }
    });
  }
  return [...pairs].flatMap(([what, taken]) => summedUp(what, taken));
}

/** Starts both before one homeserver. */
async function withTwoTrees(
  against: string,
  homeserverScript: string,
  enrolled: number,
  work: (before: Tree, now: Tree) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'change-bench-'));
  const homeserver = await startPinned(LOAD_CORE, support(homeserverScript), []);
  const running: PinnedProcess[] = [homeserver];
  const start = async (tree: string): Promise<Tree> => {
    const home = join(folder, String(running.length));
    const userIds = Array.from({ length: enrolled }, (_, index) => `@user${index}:example.org`);
    const upstream = `http://127.0.0.1:${homeserver.firstLine}`;
    const process = await startPinned(PROXY_CORE, support('tree_server.ts'), [
      tree,
      home,
      upstream,
      ...userIds,
    ]);
    running.push(process);
    const users = JSON.parse(readFileSync(join(home, 'enrolled.json'), 'utf8')) as EnrolledUser[];
    const port = Number(process.firstLine);
    return { port, pid: process.pid, url: `http://127.0.0.1:${port}`, users };
  };
  try {
    await work(await start(resolve(against)), await start(process.cwd()));
  } finally {
    for (const each of running) await each.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function takePairs(
  before: Tree,
  now: Tree,
  measure: Comparison['measure'],
  rounds: number,
): Promise<Pair[]> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    await measure(before);
    await measure(now);
  }
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = await measure(round % 2 === 0 ? before : now);
    const second = await measure(round % 2 === 0 ? now : before);
    pairs.push(round % 2 === 0 ? { before: first, now: second } : { before: second, now: first });
  }
  return pairs;
}

/** Prints. @returns medians, in ms */
function summedUp(what: string, pairs: readonly Pair[]): BenchResult[] {
  return Object.keys(pairs[0]?.now ?? {}).flatMap((cost) => {
    const of = (which: 'before' | 'now') => pairs.map((pair) => pair[which][cost] ?? Number.NaN);
    const ratios = of('now').map((ms, round) => ms / (of('before')[round] ?? Number.NaN));
    const [low, high] = [quantile(ratios, 0.25).toFixed(3), quantile(ratios, 0.75).toFixed(3)];
    const medians = { before: median(of('before')), now: median(of('now')) };
    console.log(
      `${what.padEnd(21)} ${cost.padEnd(4)} ${medians.before.toPrecision(3)} ms before, ${medians.now.toPrecision(3)} ms now: ` +
        `${median(ratios).toFixed(3)} (median of ${pairs.length} pairs, half of them ${low} to ${high}; goal 1.02)`,
    );
    const name = `${what}: ${cost}`;
    return [
      { name: `${name}, before`, value: medians.before, unit: 'ms', ratio_to: null },
      { name: `${name}, now`, value: medians.now, unit: 'ms', ratio_to: `${name}, before` },
      { name: `${name}, median of the ratios`, value: median(ratios), unit: 'ratio', ratio_to: null },
    ];
  });
}

function support(script: string): string {
  return fileURLToPath(new URL(`./${script}`, import.meta.url));
}
