import { HOUR, MINUTE, SECOND } from '../system/clock.ts';

/** A waiting time in English words, rounded up. */
export function timeInWords(ms: number): string {
  if (ms < 2 * MINUTE) return counted(Math.ceil(ms / SECOND), 'second');
  return ms < 2 * HOUR ? counted(Math.ceil(ms / MINUTE), 'minute') : counted(Math.ceil(ms / HOUR), 'hour');
}

function counted(count: number, unit: string): string {
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}
