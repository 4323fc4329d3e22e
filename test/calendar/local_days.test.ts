import { expect, test } from '@jest/globals';
import { dayOfText, isTimeZone, localDays, textOfDay, weekdayOf } from '../../src/calendar/local_days.ts';

test('names of the tz database are time zones, offsets and anything else are not', () => {
  const known = ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'];
  expect(known.filter((name) => !isTimeZone(name))).toEqual([]);
  const others = ['', '+01:00', 'Europe/Atlantis', 'Mars', 'Europe/Berlin\n', 'x'.repeat(100)];
  expect(others.filter(isTimeZone)).toEqual([]);
  expect(() => localDays('Europe/Atlantis')).toThrow(RangeError);
});

test('days are read as they are written, and days that do not exist are none', () => {
  expect(textOfDay(dayOfText('2026-11-29') ?? 0)).toBe('2026-11-29');
  expect(dayOfText('1970-01-02')).toBe(1);
  expect(['2026-02-30', '2026-13-01', '2026-1-1', '20261129', ''].map(dayOfText)).toEqual(
    Array.from({ length: 5 }, () => undefined),
  );
});

test('the days of the week', () => {
  expect(['2026-11-29', '2026-11-30', '1969-12-31'].map((day) => weekdayOf(dayOfText(day) ?? 0))).toEqual([
    6, 0, 2,
  ]);
});

test('a day begins before it ends, in every zone that there is', () => {
  const first = dayOfText('2025-01-01') ?? 0;
  for (const name of Intl.supportedValuesOf('timeZone')) {
    const days = localDays(name);
    for (let day = first; day < first + 365; day += 13) {
      const start = days.startOf(day);
      expect({ name, at: days.dayAt(start), before: days.dayAt(start - 1) }).toEqual({
        name,
        at: day,
        before: day - 1,
      });
    }
  }
});
