import type { PolicyConfig } from '../config/config.ts';
import type { Driver } from '../storage/statement.ts';
import { countEvents } from '../storage/tables/known_users.ts';
import { listUsers } from './user_listing.ts';

/** How many use a second factor, and what happened each month. */
export interface Report {
  /** In ms since the epoch. */
  readonly generated_at: number;
  readonly users: {
    readonly known: number;
    readonly enabled: number;
    readonly without: number;
    readonly by_factor: Readonly<Record<string, number>>;
    readonly no_recovery_codes: number;
    readonly locked: number;
  };
  /** How many each mode is for, and where those stand of whom a second factor is required and who have none. */
  readonly policy: {
    readonly required: number;
    readonly optional: number;
    readonly forbidden: number;
    readonly in_grace: number;
    readonly overdue: number;
    readonly cannot_enrol: number;
  };
  /** The oldest first; the last one is not over. */
  readonly months: readonly ReportedMonth[];
}

export interface ReportedMonth {
  /** `2026-11`, in UTC. */
  readonly month: string;
  readonly resets: number;
  readonly emergency_codes: number;
  readonly recovery_codes_used: number;
  readonly enabled: number;
  readonly disabled: number;
}

interface Asked {
  readonly policy: PolicyConfig;
  readonly now: number;
  readonly months: number;
  /** Users that the homeserver named, sorted. */
  readonly others?: readonly string[];
}

export async function makeReport(
  storage: Pick<Driver, 'read'>,
  { policy: config, now, months, others = [] }: Asked,
): Promise<Report> {
  const users = { known: 0, enabled: 0, without: 0, no_recovery_codes: 0, locked: 0 };
  const byFactor = new Map<string, number>();
  const policy = { required: 0, optional: 0, forbidden: 0, in_grace: 0, overdue: 0, cannot_enrol: 0 };
  for await (const user of listUsers({ storage, policy: config, now }, {}, others)) {
    policy[user.policy] += 1;
    policy.in_grace += Number(user.standing === 'in_grace');
    policy.overdue += Number(user.standing === 'owes_enrolment');
    policy.cannot_enrol += Number(user.standing === 'cannot_enrol');
    users.known += 1;
    users.enabled += Number(user.enabled);
    users.without += Number(!user.enabled);
    users.no_recovery_codes += Number(user.enabled && user.recovery_codes_remaining === 0);
    users.locked += Number(user.locked);
    for (const kind of Object.keys(user.factors)) byFactor.set(kind, (byFactor.get(kind) ?? 0) + 1);
  }
  const { known, enabled, without, no_recovery_codes, locked } = users;
  return {
    generated_at: now,
    users: { known, enabled, without, by_factor: Object.fromEntries(byFactor), no_recovery_codes, locked },
    policy,
    months: await Promise.all(startsOf(now, months).map((start) => monthFrom(storage, start))),
  };
}

/** The beginnings of the last months, this one included, the oldest first. */
function startsOf(now: number, months: number): number[] {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return Array.from({ length: months }, (_, at) => Date.UTC(year, month - months + 1 + at));
}

async function monthFrom(storage: Pick<Driver, 'read'>, start: number): Promise<ReportedMonth> {
  const date = new Date(start);
  const end = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  const events = await storage.read(countEvents(start, end));
  const count = (isMeant: (event: string) => boolean) =>
    events.filter(({ event }) => isMeant(event)).reduce((sum, each) => sum + each.count, 0);
  return {
    month: date.toISOString().slice(0, 7),
    resets: count((event) => event === 'operator.reset'),
    emergency_codes: count((event) => event === 'operator.emergency_code'),
    recovery_codes_used: count((event) => event === 'recovery.used'),
    enabled: count((event) => event.endsWith('.enabled')),
    disabled: count((event) => event.endsWith('.disabled')),
  };
}
