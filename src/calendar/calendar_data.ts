import { createRequire } from 'node:module';
import type DateHolidays from 'date-holidays';
import type Ical from 'ical.js';
import { HOUR } from '../system/clock.ts';
import type { Holidays } from './calendar.ts';
import { dayOfText, textOfDay } from './local_days.ts';

const DAY = 24 * HOUR;
/** Rules without an end are read up to here. */
const LAST_YEAR_READ = 2100;
/** A calendar of holidays has a dozen a year; one with more than this many days is something else. */
const MOST_DAYS = 20_000;

/** Where holidays come from: the rules of a region, or the text of an iCalendar file. */
export type HolidaySource = { readonly region: string } | { readonly text: string };

/** Data on holidays that cannot be used; the text says why. */
export class UnusableHolidays extends Error {}

type LoadModule = (name: string) => unknown;

// Both libraries are loaded where a calendar is configured only: the rules of all countries take half a second and 20 MB.
const loadInstalled: LoadModule = createRequire(import.meta.url);

/** @throws UnusableHolidays */
export function holidaysFrom(source: HolidaySource, load = loadInstalled): Holidays {
  return 'region' in source ? holidaysOfRegion(source.region, load) : holidaysInFile(source.text, load);
}

/**
 * The public holidays of a region, by the rules of `date-holidays`.
 *
 * @param region a country (ISO 3166-1), a state of it, a region of that: `DE`, `DE-BE`, `US-LA-NO`
 * @throws UnusableHolidays for a region that the library does not know
 */
function holidaysOfRegion(region: string, load: LoadModule): Holidays {
  const Rules = loadRules(load);
  requireRegion(region, new Rules());
  const [country = '', state, part] = region.split('-');
  const names = [country, state, part].filter((name) => name !== undefined);
  const rules = new Rules();
  rules.init(names[0] ?? '', names[1], names[2], { types: ['public'], timezone: 'UTC' });
  const years = new Map<string, ReadonlySet<string>>();
  return {
    isHoliday(day) {
      const year = day.slice(0, 4);
      const days = years.get(year) ?? publicHolidays(rules, Number(year));
      years.set(year, days);
      return days.has(day);
    },
  };
}

/** It takes 45 MB, more than all else together, so it is installed by those who want it (docs/recover.md). */
function loadRules(load: LoadModule): typeof DateHolidays {
  try {
    return load('date-holidays') as typeof DateHolidays;
  } catch (error) {
    if (!isMissingModule(error)) throw error;
    throw new UnusableHolidays(
      'needs the package date-holidays, which is not installed: run "npm install --no-save date-holidays@3" in the folder of matrix-2fa-proxy',
    );
  }
}

function isMissingModule(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND';
}

/** The library takes a state that it does not know for the whole country, and says nothing. */
function requireRegion(region: string, known: DateHolidays): void {
  const [country = '', state, part, ...more] = region.split('-');
  const isKnown =
    more.length === 0 &&
    Object.hasOwn(known.getCountries(), country) &&
    (state === undefined || Object.hasOwn(known.getStates(country) ?? {}, state)) &&
    (part === undefined || Object.hasOwn(known.getRegions(country, state ?? '') ?? {}, part));
  if (!isKnown) throw new UnusableHolidays(`knows no region "${region}" (one is written as DE or DE-BE)`);
}

/** A holiday of several days, and one that ends a year, count in the year that they begin in and in the next. */
function publicHolidays(rules: DateHolidays, year: number): ReadonlySet<string> {
  const found = [year - 1, year].flatMap((which) => rules.getHolidays(which));
  return new Set(
    found.flatMap(({ date, start, end }) => {
      const first = dayOfText(date.slice(0, 10));
      const length = Math.max(1, Math.round((end.getTime() - start.getTime()) / DAY));
      return first === undefined ? [] : daysFrom(first, length);
    }),
  );
}

/**
 * The whole-day events of an iCalendar file (RFC 5545), those that recur too. The file covers the years up to that of its
 * last event.
 *
 * @throws UnusableHolidays for what is not such a file
 */
function holidaysInFile(text: string, load: LoadModule): Holidays {
  const ical = load('ical.js') as { default: typeof Ical } | typeof Ical;
  const days = new Set<string>();
  for (const event of eventsIn(text, 'default' in ical ? ical.default : ical)) {
    for (const day of daysOfEvent(event)) days.add(day);
    if (days.size > MOST_DAYS) throw new UnusableHolidays(`has more than ${MOST_DAYS} days`);
  }
  const last = [...days].sort().at(-1);
  if (last === undefined) throw new UnusableHolidays('has no event that takes a whole day');
  return { isHoliday: (day) => days.has(day), lastDay: `${last.slice(0, 4)}-12-31` };
}

function eventsIn(text: string, ical: typeof Ical): Ical.Event[] {
  try {
    const calendar = new ical.Component(ical.parse(text));
    return calendar.getAllSubcomponents('vevent').map((component) => new ical.Event(component));
  } catch (error) {
    throw new UnusableHolidays(`is not an iCalendar file: ${error instanceof Error ? error.message : error}`);
  }
}

function* daysOfEvent(event: Ical.Event): Generator<string> {
  if (event.startDate?.isDate !== true) return;
  const length = Math.max(1, Math.round(event.duration.toSeconds() / (DAY / 1000)));
  const starts = event.iterator();
  for (let start = starts.next(); start !== undefined && start !== null; start = starts.next()) {
    if (start.year > LAST_YEAR_READ) return;
    const first = dayOfText(start.toString().slice(0, 10));
    if (first !== undefined) yield* daysFrom(first, length);
  }
}

function daysFrom(first: number, length: number): string[] {
  return Array.from({ length }, (_, index) => textOfDay(first + index));
}
