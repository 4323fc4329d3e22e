import type { Clock } from '../../src/system/clock.ts';

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #goes = false;

  constructor(private time = Date.UTC(2025, 0, 1)) {}

  now(): number {
    return this.#goes ? Date.now() : this.time;
  }

  /** Sets the clock. */
  set(time: number): void {
    this.#goes = false;
    this.time = time;
  }

  /** Moves the clock by `ms`; backwards too. */
  advance(ms: number): void {
    this.set(this.now() + ms);
  }

  /** It goes as the machine's does until it is set: for what compares it with clocks that do not wait for a test. */
  followMachine(): void {
    this.#goes = true;
  }
}
