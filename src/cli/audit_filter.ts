import type { Command } from 'commander';
import { shownEntry } from '../audit/shown_entry.ts';
import { BadValue, parseDuration } from '../config/values.ts';
import type { EntryFilter, ShownRow } from '../storage/tables/audit_entries.ts';
import { UsageError } from './failures.ts';
import { requireCount, requireUserId } from './options.ts';

/** As long as the audit may be kept: a time that no database takes would be another mistake on each kind. */
const LONGEST_AGE = '36500d';

/** The options that say which entries are meant, as they were typed. */
export interface FilterOptions {
  readonly user?: string;
  readonly event?: string;
  readonly actor?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
}

export function withFilterOptions(command: Command): Command {
  return command
    .option('--user <id>', 'of this user, in full, as in @bob:example.org')
    .option('--event <names>', 'these events, with commas between them: login.completed,operator.reset')
    .option('--actor <actor>', 'by user, homeserver, system, operator, or one operator: operator:alice')
    .option('--since <time>', 'from then on: 2026-03-01, 2026-03-01T14:00:00Z, or an age such as 24h')
    .option('--until <time>', 'before then, likewise')
    .option('--limit <number>', 'at most so many');
}

/** @throws UsageError */
export function filterOf(options: FilterOptions, now: number): EntryFilter {
  const { user, event, actor, since, until } = options;
  return {
    userId: user === undefined ? undefined : requireUserId(user),
    events: event?.split(',').map((name) => name.trim()),
    actor,
    since: since === undefined ? undefined : requireTime('--since', since, now),
    until: until === undefined ? undefined : requireTime('--until', until, now),
  };
}

/** @throws UsageError */
export function limitOf({ limit }: Pick<FilterOptions, 'limit'>): number | undefined {
  return limit === undefined ? undefined : requireCount('--limit', limit);
}

/** A time, or an age: how long before now. */
function requireTime(option: string, text: string, now: number): number {
  try {
    return now - parseDuration(text, { max: LONGEST_AGE });
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
  }
  const time = /^\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new UsageError(`${option} must be a time such as 2026-03-01T14:00:00Z, or an age such as 24h`);
  }
  return time;
}

/** An entry for programs, on one line. */
export function entryAsJson(row: ShownRow): string {
  return JSON.stringify(shownEntry(row));
}

/** An entry for people. */
export function entryAsText(row: ShownRow): string {
  const { at, event, userId, actor, address, deviceId, requestId, detail } = row;
  const time = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  const facts = [address, deviceId && `device ${deviceId}`, requestId && `request ${requestId}`];
  const parts = [time, event, userId, actor && `by ${actor}`, ...facts, detail === '{}' ? null : detail];
  return parts.filter((part) => part !== null && part !== '').join('  ');
}
