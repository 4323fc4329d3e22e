import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Calendar,
  FARTHEST_MS,
  WEEKDAYS,
  type Weekday,
  workingTime,
} from '../../src/calendar/calendar.ts';
import { textOfDay } from '../../src/calendar/local_days.ts';
import { HOUR, MINUTE } from '../../src/system/clock.ts';

const DAY = 24 * HOUR;
const OFFICE: readonly Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri'];

function calendar(changes: Partial<Calendar> = {}): Calendar {
  return { timeZone: 'UTC', workWeek: WEEKDAYS, absences: [], ...changes };
}

function holidays(...days: string[]) {
  return { isHoliday: (day: string) => days.includes(day) };
}

function opens(where: Calendar, from: string, hours: number): string {
  return new Date(workingTime(where).opensTs(Date.parse(from), hours * HOUR)).toISOString();
}

describe('working days', () => {
  test('with nothing but the defaults the clock is plain', () => {
    expect(opens(calendar(), '2026-12-24T12:00:00Z', 72)).toBe('2026-12-27T12:00:00.000Z');
    expect(workingTime(calendar()).coveredUntilTs).toBeUndefined();
  });

  test('48 hours from the Friday noon before a long weekend: 12 h on Friday, 24 h on Tuesday, 12 h on Wednesday', () => {
    // Whit Monday in Berlin.
    const berlin = calendar({
      timeZone: 'Europe/Berlin',
      workWeek: OFFICE,
      holidays: holidays('2026-05-25'),
    });
    expect(opens(berlin, '2026-05-22T12:00:00+02:00', 48)).toBe('2026-05-27T10:00:00.000Z');
    const hoursOn = (day: string) => {
      const midnight = Date.parse(`${day}T00:00:00+02:00`);
      const from = Math.max(midnight, Date.parse('2026-05-22T12:00:00+02:00'));
      return workingTime(berlin).countedMs(from, midnight + DAY) / HOUR;
    };
    const week = ['22', '23', '24', '25', '26', '27'].map((day) => hoursOn(`2026-05-${day}`));
    expect(week).toEqual([12, 0, 0, 0, 24, 24]);
  });

  test('a day off is one of the own time zone', () => {
    const at = (timeZone: string) => calendar({ timeZone, holidays: holidays('2026-12-25') });
    const from = '2026-12-24T11:00:00Z';
    // In Auckland (+13) the 25th begins at 11:00 UTC of the 24th, in Honolulu (-10) at 10:00 UTC of the 25th.
    expect(opens(at('Pacific/Auckland'), from, 1)).toBe('2026-12-25T12:00:00.000Z');
    expect(opens(at('Pacific/Honolulu'), from, 1)).toBe('2026-12-24T12:00:00.000Z');
    expect(opens(at('Pacific/Honolulu'), from, 24)).toBe('2026-12-26T11:00:00.000Z');
  });

  test('days have 23 and 25 hours where the clocks change', () => {
    const offOn = (day: string) => calendar({ timeZone: 'Europe/Berlin', holidays: holidays(day) });
    expect(opens(offOn('2026-03-29'), '2026-03-28T12:00:00+01:00', 12)).toBe('2026-03-28T23:00:00.000Z');
    expect(opens(offOn('2026-03-29'), '2026-03-28T12:00:00+01:00', 13)).toBe('2026-03-29T23:00:00.000Z');
    expect(opens(offOn('2026-10-25'), '2026-10-24T12:00:00+02:00', 13)).toBe('2026-10-26T00:00:00.000Z');
  });

  test('days begin where clocks change at midnight, and a day that a zone left out counts nothing', () => {
    const offOn = (timeZone: string, day: string) => calendar({ timeZone, holidays: holidays(day) });
    // Cairo sprang from 00:00 to 01:00 on 2023-04-28, Havana fell from 01:00 to 00:00 on 2025-11-02.
    expect(opens(offOn('Africa/Cairo', '2023-04-28'), '2023-04-27T21:00:00Z', 2)).toBe(
      '2023-04-28T22:00:00.000Z',
    );
    expect(opens(offOn('America/Havana', '2025-11-02'), '2025-11-02T03:00:00Z', 2)).toBe(
      '2025-11-03T06:00:00.000Z',
    );
    // Samoa went from the 29th to the 31st of December 2011.
    expect(opens(offOn('Pacific/Apia', '2011-12-30'), '2011-12-30T09:00:00Z', 2)).toBe(
      '2011-12-30T11:00:00.000Z',
    );
  });

  test('an absence stops the clock, its first and its last day too', () => {
    const away = calendar({ absences: [{ from: '2026-07-01', to: '2026-07-21' }] });
    expect(opens(away, '2026-06-30T00:00:00Z', 48)).toBe('2026-07-23T00:00:00.000Z');
  });

  test('where the data on holidays end, the plain timer runs, and says so; an absence stays one', () => {
    const ended = calendar({
      timeZone: 'Europe/Berlin',
      workWeek: OFFICE,
      holidays: { ...holidays('2026-12-25'), lastDay: '2026-12-31' },
      absences: [{ from: '2027-01-04', to: '2027-01-04' }],
    });
    // Thursday the 31st counts, Friday to Sunday are beyond the data, Monday is the absence.
    expect(opens(ended, '2026-12-31T00:00:00+01:00', 96)).toBe('2027-01-03T23:00:00.000Z');
    expect(opens(ended, '2026-12-31T00:00:00+01:00', 97)).toBe('2027-01-05T00:00:00.000Z');
    expect(workingTime(ended).coveredUntilTs).toBe(Date.parse('2027-01-01T00:00:00+01:00'));
  });

  test('nothing but days off is over late, and the search ends', () => {
    const never = workingTime(calendar({ holidays: { isHoliday: () => true } }));
    expect(never.opensTs(0, HOUR)).toBe(FARTHEST_MS);
    expect(never.countedMs(0, 400 * DAY)).toBe(0);
  });
});

describe('for any calendar', () => {
  const FIRST = Date.parse('2024-01-01T00:00:00Z') / DAY;
  const someDay = fc.integer({ min: FIRST, max: FIRST + 150 }).map(textOfDay);
  const someTs = fc.integer({ min: FIRST * DAY, max: (FIRST + 100) * DAY });
  const someAbsence = fc
    .tuple(fc.integer({ min: FIRST, max: FIRST + 120 }), fc.integer({ min: 0, max: 20 }))
    .map(([from, more]) => ({ from: textOfDay(from), to: textOfDay(from + more) }));
  const timeZone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/St_Johns',
    'Africa/Cairo',
    'Asia/Kolkata',
  );
  const workWeek = fc.subarray([...WEEKDAYS], { minLength: 1 });
  const daysOff = fc.array(someDay, { maxLength: 30 });
  const absences = fc.array(someAbsence, { maxLength: 3 });
  const parts = fc.record({ timeZone, workWeek, daysOff, absences });
  const missing = fc.integer({ min: 1, max: 6 * DAY });
  const made = ({ daysOff: days, ...rest }: { daysOff: string[] } & Omit<Calendar, 'holidays'>) =>
    workingTime({ ...rest, holidays: holidays(...days) });

  test('more days off never open earlier', () => {
    fc.assert(
      fc.property(parts, daysOff, absences, someTs, missing, (part, moreDays, moreAway, from, wait) => {
        const more = made({
          ...part,
          daysOff: [...part.daysOff, ...moreDays],
          absences: [...part.absences, ...moreAway],
        });
        expect(more.opensTs(from, wait)).toBeGreaterThanOrEqual(made(part).opensTs(from, wait));
      }),
      { numRuns: 100 },
    );
  });

  test('a shorter work week never opens earlier', () => {
    fc.assert(
      fc.property(parts, fc.constantFrom(...WEEKDAYS), someTs, missing, (part, day, from, wait) => {
        const shorter = part.workWeek.filter((name) => name !== day);
        if (shorter.length === 0) return;
        const later = made({ ...part, workWeek: shorter }).opensTs(from, wait);
        expect(later).toBeGreaterThanOrEqual(made(part).opensTs(from, wait));
      }),
      { numRuns: 100 },
    );
  });

  test('what is counted adds up, never shrinks, and is at most the time that passed', () => {
    fc.assert(
      fc.property(parts, fc.tuple(someTs, someTs, someTs), (part, moments) => {
        const [a = 0, b = 0, c = 0] = [...moments].sort((one, other) => one - other);
        const time = made(part);
        expect(time.countedMs(a, b) + time.countedMs(b, c)).toBe(time.countedMs(a, c));
        expect(time.countedMs(a, c)).toBeGreaterThanOrEqual(time.countedMs(a, b));
        expect(time.countedMs(a, b)).toBeLessThanOrEqual(b - a);
        expect(time.countedMs(c, a)).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('a wait opens at the first moment at which it has been counted', () => {
    fc.assert(
      fc.property(parts, someTs, missing, (part, from, wait) => {
        const time = made(part);
        const opensTs = time.opensTs(from, wait);
        expect(time.countedMs(from, opensTs)).toBe(wait);
        expect(time.countedMs(from, opensTs - 1)).toBe(wait - 1);
        expect(opensTs).toBeGreaterThanOrEqual(from + wait);
      }),
      { numRuns: 100 },
    );
  });

  test('a step that was counted shortens what is missing by as much, wherever it is cut', () => {
    fc.assert(
      fc.property(parts, someTs, missing, fc.integer({ min: 1, max: 3 * DAY }), (part, from, wait, step) => {
        const time = made(part);
        const opensTs = time.opensTs(from, wait);
        const between = Math.min(from + step, opensTs - MINUTE);
        if (between <= from) return;
        const counted = time.countedMs(from, between);
        if (counted < wait) expect(time.opensTs(between, wait - counted)).toBe(opensTs);
      }),
      { numRuns: 100 },
    );
  });
});
