import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Connections that are over take some turns of the event loop until they are let go. */
const BETWEEN_LOOKS_MS = 25;
const LOOKED_AT_MS = 30_000;

/** How many bytes of memory are kept after `work`, beside what was kept before; looked at until there are few enough. */
export async function keptBytes(work: () => unknown, enough: number): Promise<number> {
  const before = used();
  await work();
  const deadline = Date.now() + LOOKED_AT_MS;
  let kept = used() - before;
  while (kept > enough && Date.now() < deadline) {
    await pause(BETWEEN_LOOKS_MS);
    kept = used() - before;
  }
  return kept;
}

function used(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
