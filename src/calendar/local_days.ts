import { HOUR, MINUTE, SECOND } from '../system/clock.ts';

const DAY = 24 * HOUR;

/** The days of a time zone. A day is a number: how many days lie between it and 1970-01-01. */
export interface LocalDays {
  /** The day that it is there at a moment. */
  dayAt(ts: number): number;
  /** The first moment of a day. With daylight saving a day has 23 to 25 hours; one that a zone left out has none. */
  startOf(day: number): number;
}

/** @throws RangeError for a time zone that is not known */
export function localDays(timeZone: string): LocalDays {
  const offsetAt = offsetsOf(timeZone);
  const dayAt = (ts: number) => Math.floor((ts + offsetAt(ts)) / DAY);
  const offsets = new Map<number, number>();
  /** The offset at midnight UTC, asked once: walks over days ask for each of them again and again. */
  const offsetOf = (day: number) => {
    const offset = offsets.get(day) ?? offsetAt(day * DAY);
    offsets.set(day, offset);
    return offset;
  };
  return {
    dayAt,
    startOf(day) {
      const [before, after] = [day * DAY - offsetOf(day - 1), day * DAY - offsetOf(day + 1)];
      if (before === after) return before;
      // Where the clocks change at midnight, it exists once, twice or not at all: the first moment of that day counts.
      return Math.min(...[before, after].filter((ts) => dayAt(ts) >= day));
    },
  };
}

/** Names of the tz database, as Node knows them; an offset such as `+01:00` is not one, since it has no summer. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

/** A day as it is written: 2026-11-29. */
export function textOfDay(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

/** `undefined` for what is not a day of the calendar, such as 2026-02-30. */
export function dayOfText(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const ts = Date.parse(`${text}T00:00:00Z`);
  const day = ts / DAY;
  return Number.isNaN(ts) || textOfDay(day) !== text ? undefined : day;
}

/** 0 is Monday. 1970-01-01 was a Thursday. */
export function weekdayOf(day: number): number {
  return (((day + 3) % 7) + 7) % 7;
}

/** How far the clocks of a zone are ahead of UTC, at a moment. */
function offsetsOf(timeZone: string): (ts: number) => number {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', timeZoneName: 'longOffset' });
  return (ts) => {
    // `2026, GMT+05:30`; `GMT` alone is UTC, and local mean times of old have seconds.
    const written = /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(format.format(ts));
    if (written === null) return 0;
    const [, sign, hours, minutes, seconds = 0] = written;
    const ahead = Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds) * SECOND;
    return sign === '-' ? -ahead : ahead;
  };
}
