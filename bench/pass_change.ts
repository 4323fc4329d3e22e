/**
 * What a request that is passed on costs beside another tree of this project, by turns in one run:
 * `npm run bench -- pass_change --against TREE`. CPU time is that of the proxy alone.
 */
import { canPin } from './support/pinned.ts';
import { measure } from './support/rates.ts';
import { compareByTurns, LOAD_CORE, withTwoTrees } from './support/trees.ts';

const PATH = '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/context';

/** Measures and prints, or says what is missing. */
export async function run(against: string | undefined): Promise<void> {
  if (against === undefined || !canPin()) {
    console.log('pass_change: left out; it needs another tree (--against TREE) and taskset, on Linux');
    return;
  }
  await withTwoTrees(against, 'answering_server.ts', 0, async (before, now) => {
    for (const method of ['GET', 'POST']) {
      await compareByTurns(method, [before, now], async (tree) => {
        const { perCpuSecond, p50Ms } = await measure(LOAD_CORE, tree, { method, path: PATH });
        return { cpu: 1000 / perCpuSecond, p50: p50Ms };
      });
    }
  });
}
