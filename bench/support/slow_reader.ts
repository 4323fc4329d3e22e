import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** Reads a stream to its end, no faster than a rate. @returns how many bytes it had */
export async function readSlowly(stream: Readable, bytesPerSecond: number): Promise<number> {
  const begun = performance.now();
  let length = 0;
  for await (const chunk of stream) {
    length += (chunk as Buffer).length;
    const early = (length / bytesPerSecond) * 1000 - (performance.now() - begun);
    // Shorter pauses cannot be had.
    if (early > 5) await pause(early);
  }
  return length;
}
