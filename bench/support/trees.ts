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
const ROUNDS = 41;
const WARM_UP_ROUNDS = 5;

/** The application of one tree, running. */
export interface Tree extends Contender {
  readonly url: string;
  readonly users: readonly EnrolledUser[];
}

/** What is measured of one tree, by name: the less the better. */
export type Costs = Readonly<Record<string, number>>;

/**
 * Starts this tree and another one before the same homeserver.
 * @param against the other tree: a worktree of its commit, with its node_modules
 * @param homeserverScript in this folder
 */
export async function withTwoTrees(
  against: string,
  homeserverScript: string,
  enrolled: number,
  work: (before: Tree, now: Tree) => Promise<void>,
): Promise<void> {
  build(resolve(against));
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
    const before = await start(resolve(against));
    const now = await start(process.cwd());
    console.log(`before: ${before.url}, now: ${now.url}`);
    await work(before, now);
  } finally {
    for (const each of running) await each.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Measures both by turns, and prints how each cost has changed. @returns medians, in ms */
export async function compareByTurns(
  what: string,
  [before, now]: readonly [Tree, Tree],
  measure: (tree: Tree) => Promise<Costs>,
  rounds = ROUNDS,
): Promise<BenchResult[]> {
  for (let round = 0; round < Math.min(WARM_UP_ROUNDS, rounds); round++) {
    await measure(before);
    await measure(now);
  }
  const pairs: { readonly before: Costs; readonly now: Costs }[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = await measure(round % 2 === 0 ? before : now);
    const second = await measure(round % 2 === 0 ? now : before);
    pairs.push(round % 2 === 0 ? { before: first, now: second } : { before: second, now: first });
  }
  return Object.keys(pairs[0]?.now ?? {}).flatMap((cost) => {
    const of = (which: 'before' | 'now') => pairs.map((pair) => pair[which][cost] ?? Number.NaN);
    const ratios = of('now').map((ms, round) => ms / (of('before')[round] ?? Number.NaN));
    const [low, high] = [quantile(ratios, 0.25).toFixed(3), quantile(ratios, 0.75).toFixed(3)];
    const medians = { before: median(of('before')), now: median(of('now')) };
    console.log(
      `${what.padEnd(21)} ${cost.padEnd(4)} ${medians.before.toPrecision(3)} ms before, ${medians.now.toPrecision(3)} ms now: ` +
        `${median(ratios).toFixed(3)} (median of ${rounds} pairs, half of them ${low} to ${high}; goal 1.02)`,
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
