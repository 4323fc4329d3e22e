import { type Clock, SECOND } from '../system/clock.ts';

/** A difference that is as small may be the way of an answer, or a busy machine. */
const TOLERATED_MS = 2 * SECOND;

/**
 * The time of a database on a server, as its last answer told it: what processes on several machines write into it
 * must not depend on their clocks. Until then, and where the database is on this machine, this machine's.
 */
export class DatabaseClock implements Clock {
  private aheadMs = 0;

  constructor(private readonly machine: Clock) {}

  now(): number {
    return this.machine.now() + this.aheadMs;
  }

  /** @param databaseNow its time, in ms since the epoch */
  learn(databaseNow: number): void {
    const aheadMs = databaseNow - this.machine.now();
    if (Math.abs(aheadMs - this.aheadMs) > TOLERATED_MS) this.aheadMs = aheadMs;
  }
}
