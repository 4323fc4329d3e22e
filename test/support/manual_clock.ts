import type { Clock } from '../../src/system/clock.ts';

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  constructor(private time = Date.UTC(2025, 0, 1)) {}

  now(): number {
    return this.time;
  }

  /** Sets the clock. */
  set(time: number): void {
    this.time = time;
  }

  /** Moves the clock by `ms`; backwards too. */
  advance(ms: number): void {
    this.time += ms;
  }
}
