import type { Audit } from '../audit/audit.ts';
import type { PolicyConfig } from '../config/config.ts';
import type { HourlyLease } from '../storage/hourly_lease.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { listRemindable, type RemindableRow, takeReminder } from '../storage/tables/policies.ts';
import { knownPolicy, OVERDUE_STAGE, reminderStage } from './known_policy.ts';

/** So many users are looked at in one round, so that other housekeeping does not wait for long. */
const A_ROUND = 200;

interface RemindersDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly audit: Audit;
  /** Of all processes only one goes through the users in an hour. */
  readonly lease: HourlyLease;
  /** As it is now: it may be read again while `serve` runs. */
  readonly policy: () => PolicyConfig;
}

/**
 * Reminds those who have to set up a second factor, 7 days and 1 day before their deadline and when it is over: an entry
 * of the audit, from which the notice follows. Where several have come since the last time, the nearest is told alone.
 */
export class Reminders {
  /** After whom this process goes on; undefined while it is not at it. */
  private cursor: string | undefined;

  constructor(private readonly deps: RemindersDeps) {}

  /** The next users, where this process has the lease of this hour. A killed one leaves the rest to the next hour. */
  async round(): Promise<void> {
    if (this.cursor === undefined && !(await this.deps.lease.take())) return;
    const rows = await this.deps.storage.read(listRemindable(this.cursor ?? '', A_ROUND));
    this.cursor = undefined;
    for (const row of rows) await this.remind(row);
    if (rows.length === A_ROUND) this.cursor = rows.at(-1)?.userId;
  }

  private async remind(row: RemindableRow): Promise<void> {
    const { userId, toldStage, toldDeadline, now } = row;
    const { deadlineTs } = knownPolicy(this.deps.policy(), userId, row);
    if (deadlineTs === null) return;
    const stage = reminderStage(deadlineTs, now);
    if (stage === 0 || (toldDeadline === deadlineTs && stage <= (toldStage ?? 0))) return;
    const told = this.deps.audit.recorded({
      userId,
      event: stage === OVERDUE_STAGE ? 'policy.overdue' : 'policy.required',
      detail: { deadline_ts: deadlineTs },
    });
    const taken = takeReminder(row, { stage, deadlineTs });
    await this.deps.storage.commit([userId], when(taken, { won: told, lost: [] }));
  }
}
