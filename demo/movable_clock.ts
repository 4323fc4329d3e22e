import type { Clock } from '../src/system/clock.ts';

/** The real time, and what it was moved on by: the check need not wait for codes and lifetimes. */
export class MovableClock implements Clock {
  private ahead = 0;

  now(): number {
    return Date.now() + this.ahead;
  }

  advance(ms: number): void {
    this.ahead += ms;
  }
}
