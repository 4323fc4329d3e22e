/**
 * Working time: how much of a wait has run, and when it is over, where only working days count. Nothing here reads a clock
 * or a file: what it is told gives the same answer in every process.
 */

import { HOUR } from '../system/clock.ts';
import { dayOfText, localDays, textOfDay, weekdayOf } from './local_days.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** Whole days on which a user cannot answer, the first and the last included, as 2026-11-29. */
export interface Absence {
  readonly from: string;
  readonly to: string;
}

export interface Holidays {
  isHoliday(day: string): boolean;
  /** The last day that the data know of; without one they have no end. */
  readonly lastDay?: string;
}

export interface Calendar {
  readonly timeZone: string;
  readonly workWeek: readonly Weekday[];
  readonly holidays?: Holidays;
  readonly absences: readonly Absence[];
}

export interface WorkingTime {
  /** How much of the time between two moments counts. */
  countedMs(fromTs: number, toTs: number): number;
  /** The first moment at which `missingMs` more have been counted. */
  opensTs(fromTs: number, missingMs: number): number;
  /** Where the data on holidays end. From then on every day counts that is not an absence. */
  readonly coveredUntilTs?: number;
}

/**
 * A search for the end of a wait gives up here. Only a calendar of nothing but holidays leads so far, and then it is the
 * answer: the wait is over late, never early.
 */
export const FARTHEST_MS = 20 * 366 * 24 * HOUR;

/** @throws RangeError for a time zone that is not known */
export function workingTime(calendar: Calendar): WorkingTime {
  const days = localDays(calendar.timeZone);
  const counts = countingDays(calendar);
  const lastDay = dayOfText(calendar.holidays?.lastDay ?? '');

  /** The pieces of working time from a moment on, a day at a time. */
  function* pieces(fromTs: number, toTs: number): Generator<readonly [from: number, to: number]> {
    let day = days.dayAt(fromTs) - 1;
    for (let start = days.startOf(day); start < toTs; day += 1) {
      const end = days.startOf(day + 1);
      const [from, to] = [Math.max(start, fromTs), Math.min(end, toTs)];
      if (from < to && counts(day)) yield [from, to];
      start = end;
    }
  }

  return {
    countedMs(fromTs, toTs) {
      let counted = 0;
      for (const [from, to] of pieces(fromTs, toTs)) counted += to - from;
      return counted;
    },
    opensTs(fromTs, missingMs) {
      if (missingMs <= 0) return fromTs;
      let missing = missingMs;
      for (const [from, to] of pieces(fromTs, fromTs + FARTHEST_MS)) {
        if (missing <= to - from) return from + missing;
        missing -= to - from;
      }
      return fromTs + FARTHEST_MS;
    },
    ...(lastDay === undefined ? {} : { coveredUntilTs: days.startOf(lastDay + 1) }),
  };
}

function countingDays({ workWeek, holidays, absences }: Calendar): (day: number) => boolean {
  const worked = new Set(workWeek.map((name) => WEEKDAYS.indexOf(name)));
  const away = absences.map(({ from, to }) => [dayOfText(from), dayOfText(to)] as const);
  const lastDay = dayOfText(holidays?.lastDay ?? '') ?? Number.POSITIVE_INFINITY;
  const isAway = (day: number) =>
    away.some(([from, to]) => from !== undefined && to !== undefined && from <= day && day <= to);
  return (day) => {
    if (isAway(day)) return false;
    if (day > lastDay) return true;
    return worked.has(weekdayOf(day)) && holidays?.isHoliday(textOfDay(day)) !== true;
  };
}
