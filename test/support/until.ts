import { setTimeout as pause } from 'node:timers/promises';

const BETWEEN_LOOKS_MS = 10;
/** On whatever machine: what has not come by then does not come. */
const GIVEN_UP_AFTER_MS = 120_000;

/**
 * Waits for what another connection or another process brings about, however long that takes.
 * @throws Error with what `told` says, where it does not come
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  told: () => string = () => String(isSo),
): Promise<void> {
  const deadline = Date.now() + GIVEN_UP_AFTER_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`it does not come: ${told()}`);
    await pause(BETWEEN_LOOKS_MS);
  }
}
