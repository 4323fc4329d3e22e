import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../system/clock.ts';
import type { CodeWay } from './lanes.ts';
import { RateLimit } from './rate_limit.ts';

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
    await this.record(way, stage, 'throttle.wait');
  }

  shut(way: CodeWay, stage: string): Promise<void> {
    return this.record(way, stage, 'throttle.shut');
  }

  private record(way: CodeWay, stage: string, event: 'throttle.wait' | 'throttle.shut'): Promise<void> {
    const { userId, place, client, deviceId } = way;
    return this.audit.record({ userId, event, address: client.ip, deviceId, detail: { place, stage } });
  }
}
