import { type Absence, type Holidays, type WorkingTime, workingTime } from '../calendar/calendar.ts';
import { holidaysFrom } from '../calendar/calendar_data.ts';
import type { RecoveryCalendarConfig } from '../config/config.ts';
import type { RecoveryRequest } from '../storage/tables/recovery_requests.ts';

/** The calendar of a request: what its owner had set when it was begun, and what the operator sets. */
export type CalendarOf = (request: Pick<RecoveryRequest, 'timeZone' | 'absences'>) => WorkingTime;

/** Calendars of requests; the holidays are read at the first use. */
export function calendarsOf({ timeZone, workWeek, holidays: source }: RecoveryCalendarConfig): CalendarOf {
  let read: Holidays | undefined;
  return (request) => {
    if (source !== undefined) read ??= holidaysFrom(source);
    const absences: readonly Absence[] = JSON.parse(request.absences);
    const calendar = { timeZone: request.timeZone ?? timeZone, workWeek, absences };
    return workingTime(read === undefined ? calendar : { ...calendar, holidays: read });
  };
}
