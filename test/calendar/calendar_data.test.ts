import { describe, expect, test } from '@jest/globals';
import { holidaysFrom, UnusableHolidays } from '../../src/calendar/calendar_data.ts';

const holidaysOfRegion = (region: string) => holidaysFrom({ region });
const holidaysInFile = (text: string) => holidaysFrom({ text });

describe('the holidays of a region', () => {
  test('are its public ones', () => {
    const [germany, berlin] = [holidaysOfRegion('DE'), holidaysOfRegion('DE-BE')];
    const days = ['2026-05-25', '2026-12-25', '2027-03-26', '2035-10-03'];
    expect(days.filter((day) => berlin.isHoliday(day))).toEqual(days);
    // Women's Day is one in Berlin only; carnival and Christmas Eve are none.
    expect([germany, berlin].map((where) => where.isHoliday('2027-03-08'))).toEqual([false, true]);
    expect(['2026-02-12', '2026-12-24', '2026-11-29'].filter((day) => berlin.isHoliday(day))).toEqual([]);
    expect(berlin.lastDay).toBeUndefined();
  });

  test('have all of their days, over the end of a year too', () => {
    const china = holidaysOfRegion('CN');
    expect(
      ['2027-02-05', '2027-02-06', '2027-02-07'].filter((day) => china.isHoliday(day)).length,
    ).toBeGreaterThan(1);
    expect(holidaysOfRegion('US-LA-NO').isHoliday('2026-07-04')).toBe(true);
  });

  test.each(['XX', 'DE-XX', 'US-LA-XX', 'de', '', 'DE-BE-', 'DE-BE-x-y', 'constructor', 'DE-toString'])(
    'the region "%s" is not guessed',
    (region) => {
      expect(() => holidaysOfRegion(region)).toThrow(UnusableHolidays);
    },
  );
});

test('without the package, which is optional, it is said how to install it', () => {
  const missing = () => {
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  };
  expect(() => holidaysFrom({ region: 'DE' }, missing)).toThrow(/date-holidays.*npm install/);
  expect(() => holidaysFrom({ region: 'DE' }, missing)).toThrow(UnusableHolidays);
});

describe('a file of holidays', () => {
  const event = (...lines: string[]) => ['BEGIN:VEVENT', 'UID:x', ...lines, 'END:VEVENT'];
  const file = (...lines: string[]) =>
    ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', ...lines, 'END:VCALENDAR', ''].join('\r\n');
  const found = (text: string, ...days: string[]) => {
    const { isHoliday } = holidaysInFile(text);
    return days.filter(isHoliday);
  };

  test('has whole-day events; their last day is the one before DTEND', () => {
    const text = file(
      ...event('DTSTART;VALUE=DATE:20261224', 'DTEND;VALUE=DATE:20261227'),
      ...event('DTSTART;VALUE=DATE:20270101'),
      ...event('DTSTART:20270202T100000Z', 'DTEND:20270202T110000Z'),
    );
    expect(
      found(text, '2026-12-23', '2026-12-24', '2026-12-26', '2026-12-27', '2027-01-01', '2027-02-02'),
    ).toEqual(['2026-12-24', '2026-12-26', '2027-01-01']);
    expect(holidaysInFile(text).lastDay).toBe('2027-12-31');
  });

  test('may have rules, with exceptions', () => {
    const text = file(
      ...event('DTSTART;VALUE=DATE:20200501', 'RRULE:FREQ=YEARLY', 'EXDATE;VALUE=DATE:20280501'),
      ...event('DTSTART;VALUE=DATE:20261126', 'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;COUNT=2'),
    );
    expect(
      found(text, '2026-05-01', '2028-05-01', '2029-05-01', '2026-11-26', '2027-11-25', '2028-11-23'),
    ).toEqual(['2026-05-01', '2029-05-01', '2026-11-26', '2027-11-25']);
    expect(holidaysInFile(text).lastDay).toBe('2100-12-31');
  });

  test.each([
    ['no calendar', 'hello', 'not an iCalendar file'],
    ['nothing', '', 'not an iCalendar file'],
    ['a broken one', file('BEGIN:VEVENT', 'DTSTART;VALUE=DATE:20261224'), 'not an iCalendar file'],
    ['one without days', file(...event('DTSTART:20270202T100000Z')), 'no event that takes a whole day'],
    [
      'one of every day for ever',
      file(...event('DTSTART;VALUE=DATE:20200101', 'RRULE:FREQ=DAILY')),
      'more than 20000 days',
    ],
  ])('%s is refused, and it is said why', (_, text, why) => {
    expect(() => holidaysInFile(text)).toThrow(UnusableHolidays);
    expect(() => holidaysInFile(text)).toThrow(why);
  });
});
