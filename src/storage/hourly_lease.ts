import { type Clock, HOUR, MINUTE } from '../system/clock.ts';
import type { Driver } from './statement.ts';
import { takeLease } from './tables/leases.ts';

/** How long a process that did not get the lease waits before it asks again. */
const ASK_AGAIN_MS = 10 * MINUTE;

interface HourlyLeaseDeps {
  readonly storage: Pick<Driver, 'commit'>;
  readonly clock: Clock;
  /** Names this process. */
  readonly holder: string;
}

/** Something that one of all processes does once an hour: the lease is taken, and not given back. */
export class HourlyLease {
  private askAgainAt = 0;

  /** @param key names what is done */
  constructor(
    private readonly deps: HourlyLeaseDeps,
    private readonly key: string,
  ) {}

  /** Whether it is this process that does it in this hour; true once. The store is asked rarely. */
  async take(): Promise<boolean> {
    const { storage, clock, holder } = this.deps;
    const now = clock.now();
    // A clock that was set back does not put it off.
    if (now < this.askAgainAt && now >= this.askAgainAt - HOUR) return false;
    const isFirst = (await storage.commit([], takeLease(this.key, holder, HOUR))) !== undefined;
    this.askAgainAt = now + (isFirst ? HOUR : ASK_AGAIN_MS);
    return isFirst;
  }
}
