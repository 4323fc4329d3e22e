import { setImmediate as othersTurn } from 'node:timers/promises';
import { LANE_RULES } from '../limits/throttle.ts';
import type { Storage } from '../storage/storage.ts';
import { countEnrolled, countLocked, type EnrolledCounts } from '../storage/tables/counts.ts';
import { type Clock, MINUTE, SECOND } from '../system/clock.ts';
import { inTime } from '../system/in_time.ts';

/** Users with 2FA on; those of them without a recovery code left; those with a lane that admits nothing. */
export interface UserCounts {
  readonly enrolled: number;
  readonly noRecoveryCodes: number;
  readonly locked: number;
}

/** Counting goes through all users: the numbers of a moment ago will do. */
const KEPT_MS = MINUTE;
/** Where there are so many that it takes long, it is done the less often: a fiftieth of the time. */
const KEPT_PER_MS = 50;
/** How long numbers that are being counted are waited for. */
const WAITED_MS = SECOND;
/** With SQLite no one else is served while a part is counted. */
const PART = 200;

/** How many users there are, counted by parts. */
export class CountedUsers {
  private known: { readonly at: number; readonly keptMs: number; readonly counts: UserCounts } | undefined;
  private underWay: Promise<void> | undefined;

  constructor(private readonly deps: { readonly storage: Pick<Storage, 'read'>; readonly clock: Clock }) {}

  /** As they are known: undefined while they are counted for the first time, where that takes long. */
  async current(): Promise<UserCounts | undefined> {
    if (!this.isFresh()) {
      this.underWay ??= this.count().finally(() => {
        this.underWay = undefined;
      });
      // A scrape that does not wait for the end has the numbers of before.
      this.underWay.catch(() => undefined);
      await inTime(this.underWay, WAITED_MS);
    }
    return this.known?.counts;
  }

  private isFresh(): boolean {
    if (this.known === undefined) return false;
    const age = this.deps.clock.now() - this.known.at;
    return age >= 0 && age < this.known.keptMs;
  }

  private async count(): Promise<void> {
    const { storage, clock } = this.deps;
    const begun = clock.now();
    const [shut] = await storage.read(countLocked(LANE_RULES.shutAt));
    let [enrolled, noRecoveryCodes] = [0, 0];
    for (let after: string | null = ''; after !== null; await othersTurn()) {
      const [part]: EnrolledCounts[] = await storage.read(countEnrolled(after, PART));
      enrolled += part?.enrolled ?? 0;
      noRecoveryCodes += part?.noRecoveryCodes ?? 0;
      after = part?.last ?? null;
    }
    const at = clock.now();
    const keptMs = Math.max(KEPT_MS, KEPT_PER_MS * (at - begun));
    this.known = { at, keptMs, counts: { enrolled, noRecoveryCodes, locked: shut?.locked ?? 0 } };
  }
}
