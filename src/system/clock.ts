/** The time, passed in so that no test has to wait for it. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Milliseconds since some moment, never going back: for how long something took. */
export type Ticks = () => number;

export const systemTicks: Ticks = () => performance.now();

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Nothing is kept for so long. */
const LONGEST_SPAN = 36_500 * DAY;

/** A span as the store takes it, whatever number another program wrote: whole milliseconds, and not too many. */
export function storableMs(ms: number): number {
  return Math.floor(Math.min(Math.max(ms, 0), LONGEST_SPAN));
}
