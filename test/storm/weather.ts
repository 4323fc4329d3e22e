import { setTimeout as pause } from 'node:timers/promises';
import type { DownMode, StubHomeserver } from '../support/stub/stub.ts';

/** In every minute: fair so long, then foul so long, then fair again while connections recover. */
const FAIR_MS = 45_000;
const FOUL_MS = 10_000;
const RECOVERY_MS = 5_000;
const CHANGES_MS = 2_000;
/** Who begins in settled weather has this long before it turns. */
const SETTLED_MS = 35_000;

const WAYS_TO_BE_DOWN: readonly DownMode[] = ['refuse', 'reset', 'hang', 'error', 'garbage'];

/** The homeserver's: well most of the time, and down in turn in every way that the stub knows. */
export class Weather {
  private fairSince = Date.now();
  private fair = true;

  constructor(private readonly stub: StubHomeserver) {}

  isFair(): boolean {
    return this.fair;
  }

  isSettled(): boolean {
    return this.fair && Date.now() - this.fairSince < SETTLED_MS;
  }

  async run(over: AbortSignal): Promise<void> {
    let turn = 0;
    while (!over.aborted) {
      this.fairSince = Date.now();
      this.fair = true;
      await until(over, FAIR_MS);
      this.fair = false;
      for (let foul = 0; foul < FOUL_MS && !over.aborted; foul += CHANGES_MS) {
        await this.stub.setDown(WAYS_TO_BE_DOWN[turn++ % WAYS_TO_BE_DOWN.length]);
        await until(over, CHANGES_MS);
      }
      await this.stub.setDown(undefined);
      await until(over, RECOVERY_MS);
      // What it recorded is of no interest, and would fill the memory.
      this.stub.clear();
    }
  }
}

/** A pause that ends with the storm. */
async function until(over: AbortSignal, ms: number): Promise<void> {
  await pause(ms, undefined, { signal: over }).catch(() => undefined);
}
