/**
 * What a request that is passed on costs beside another tree of this project, by turns in one run:
 * `npm run bench -- pass_change --against TREE`. CPU time is that of the proxy alone.
 */
import { cpuMs } from './support/cpu_time.ts';
import { loadPort } from './support/load_generator.ts';
import { CONNECTIONS } from './support/rates.ts';
import type { BenchRun } from './support/results.ts';
import { type Costs, compareTrees, type Tree } from './support/trees.ts';

const PATH = '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/context';
/** In one round of one tree. */
const REQUESTS = 2000;

/** Measures and prints, or says what is missing. */
export async function run({ against, rounds, report }: BenchRun): Promise<void> {
  if (against === undefined) {
    console.log('pass_change: left out, because no other tree is named (--against TREE)');
    return;
  }
  const comparisons = ['GET', 'POST'].map((method) => ({
    what: method,
    measure: (tree: Tree) => passedOn(tree, method),
  }));
  const asked = { against, homeserverScript: 'answering_server.ts', enrolled: 0, rounds };
  report(await compareTrees(asked, comparisons));
}

/** Milliseconds for one request. */
async function passedOn({ pid, port }: Tree, method: string): Promise<Costs> {
  const cpu = cpuMs(pid);
  let left = REQUESTS - CONNECTIONS;
  const load = await loadPort(port, CONNECTIONS, { method, path: PATH }, () => left-- > 0);
  if (load.failures > 0) throw new Error(`${load.failures} requests failed`);
  return { cpu: (cpuMs(pid) - cpu) / load.requests, p50: load.p50Ms };
}
