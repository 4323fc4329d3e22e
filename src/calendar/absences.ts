import type { Absence } from './calendar.ts';
import { dayOfText, textOfDay } from './local_days.ts';

/** Longer, and an owner who forgot about it could not be helped for months. */
const LONGEST_DAYS = 21;
const DAYS_IN_A_YEAR = 60;
const MOST_ABSENCES = 20;

/** What is wrong with absences that a user enters, in words for them; `undefined` if nothing is. */
export function faultOfAbsences(absences: readonly Absence[]): string | undefined {
  if (absences.length > MOST_ABSENCES) return `At most ${MOST_ABSENCES} absences can be entered.`;
  const taken = new Set<number>();
  for (const { from, to } of absences) {
    const [first, last] = [dayOfText(from), dayOfText(to)];
    if (first === undefined || last === undefined) return 'A day is written as 2026-11-29.';
    if (last < first) return 'An absence ends before it begins.';
    if (last - first >= LONGEST_DAYS) return `An absence has at most ${LONGEST_DAYS} days.`;
    for (let day = first; day <= last; day += 1) taken.add(day);
  }
  const years = new Map<string, number>();
  for (const day of taken) {
    const year = textOfDay(day).slice(0, 4);
    years.set(year, (years.get(year) ?? 0) + 1);
  }
  const isTooLong = [...years.values()].some((days) => days > DAYS_IN_A_YEAR);
  return isTooLong ? `Absences have at most ${DAYS_IN_A_YEAR} days in a year.` : undefined;
}
