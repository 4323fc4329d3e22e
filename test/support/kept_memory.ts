import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Connections that are over take some turns of the event loop until they are let go. */
const LOOKS = 40;
const BETWEEN_LOOKS_MS = 25;

/** How many bytes of memory are kept after `work`, beside what was kept before; looked at until there are few enough. */
export async function keptBytes(work: () => unknown, enough: number): Promise<number> {
  const before = used();
  await work();
  let kept = used() - before;
  for (let look = 0; look < LOOKS && kept > enough; look += 1) {
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
