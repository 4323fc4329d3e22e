import { expect, test } from '@jest/globals';
import { faultOfAbsences } from '../../src/calendar/absences.ts';

const away = (from: string, to: string) => ({ from, to });

test('absences of at most 21 days, 60 in a year, are taken', () => {
  expect(faultOfAbsences([])).toBeUndefined();
  expect(faultOfAbsences([away('2026-07-01', '2026-07-01')])).toBeUndefined();
  expect(faultOfAbsences([away('2026-07-01', '2026-07-21')])).toBeUndefined();
  const sixty = [
    away('2026-01-01', '2026-01-20'),
    away('2026-03-01', '2026-03-20'),
    away('2026-06-01', '2026-06-20'),
  ];
  expect(faultOfAbsences(sixty)).toBeUndefined();
  // The same days twice are the same days, and each year has its own sixty.
  expect(faultOfAbsences([...sixty, away('2026-01-05', '2026-01-10')])).toBeUndefined();
  expect(faultOfAbsences([...sixty, away('2025-12-25', '2025-12-31')])).toBeUndefined();
});

test.each([
  ['22 days', [away('2026-07-01', '2026-07-22')], 'at most 21 days'],
  ['a wrong order', [away('2026-07-02', '2026-07-01')], 'ends before it begins'],
  ['a day that does not exist', [away('2026-02-28', '2026-02-30')], 'is written as'],
  [
    '61 days of a year',
    [
      away('2026-01-01', '2026-01-20'),
      away('2026-03-01', '2026-03-20'),
      away('2026-06-01', '2026-06-20'),
      away('2026-12-31', '2027-01-05'),
    ],
    'at most 60 days in a year',
  ],
  ['too many', Array.from({ length: 21 }, () => away('2026-07-01', '2026-07-01')), 'At most 20 absences'],
])('%s: the fault is named', (_, absences, fault) => {
  expect(faultOfAbsences(absences)).toContain(fault);
});
