import type { Audit, AuditEntry } from '../audit/audit.ts';
import { type Write, when } from '../storage/statement.ts';
import { findShut } from '../storage/tables/lanes.ts';
import type { Clock } from '../system/clock.ts';
import type { CodeWay } from './lanes.ts';
import { RateLimit } from './rate_limit.ts';
import { type Attempt, LANE_RULES } from './throttle.ts';

/** A wait of a user is put on record once in half a minute, the length of the shortest wait. */
const WAITS_ON_RECORD = { perSecond: 1 / 30, burstCount: 1 };

/** Puts on record that codes of a user are not looked at, for the user and the operator. */
export class ThrottleRecord {
  private readonly waits: RateLimit;

  constructor(
    private readonly audit: Audit,
    clock: Clock,
  ) {
    this.waits = new RateLimit(WAITS_ON_RECORD, clock, 'codes');
  }

  /** Once in a while: a client that comes again all the time must not fill the audit. */
  async wait(way: CodeWay, stage: string): Promise<void> {
    const key = `${way.userId} ${way.place}`;
    if (this.waits.isEmpty(key)) return;
    this.waits.spend(key);
    await this.audit.record(entryOf(way, stage, 'throttle.wait'));
  }

  /** What is put on record with a wrong code if it was the one that shut its lane. */
  shut(way: CodeWay, stage: string, { lane }: Pick<Attempt, 'lane'>): Write {
    const shut = findShut(way.userId, lane, LANE_RULES);
    return when(shut, { won: this.audit.recorded(entryOf(way, stage, 'throttle.shut')), lost: [] });
  }
}

function entryOf(
  { userId, place, client, deviceId }: CodeWay,
  stage: string,
  event: 'throttle.wait' | 'throttle.shut',
): AuditEntry {
  return { userId, event, client, deviceId, detail: { place, stage } };
}
