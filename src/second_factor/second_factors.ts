import type { Audit } from '../audit/audit.ts';
import type { AuditEvent } from '../audit/events.ts';
import type { AppendedCode, Factors, TypedCode } from '../factors/factors.ts';
import type { AddressLimit } from '../limits/address_limit.ts';
import { RateLimit } from '../limits/rate_limit.ts';
import type { LanedVerdict, PresentedCode, SecondFactorCheck } from '../limits/second_factor_check.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { SecondFactorStage } from '../matrix/wire.ts';
import type { FactorStore } from '../storage/stores.ts';
import type { Clock } from '../system/clock.ts';

/** A wait of a user is put on record once in half a minute, the length of the shortest wait. */
const WAITS_ON_RECORD = { perSecond: 1 / 30, burstCount: 1 };

/** What the doors ask of second factors: who has one, which stages he can use, and whether a code is right. */
export class SecondFactors {
  private readonly waitsOnRecord: RateLimit;

  constructor(
    private readonly store: FactorStore,
    private readonly factors: Factors,
    private readonly check: SecondFactorCheck,
    private readonly addressLimit: AddressLimit,
    private readonly audit: Audit,
    clock: Clock,
  ) {
    this.waitsOnRecord = new RateLimit(WAITS_ON_RECORD, clock);
  }

  isEnrolled(userId: string): Promise<boolean> {
    return this.store.isEnrolled(userId);
  }

  /** Whether a factor of ours judges this stage. */
  has(stage: string): stage is SecondFactorStage {
    return this.factors.ofStage(stage) !== undefined;
  }

  /** The stages that this user can use now. */
  available(userId: string): Promise<SecondFactorStage[]> {
    return this.factors.stagesOf(userId);
  }

  /** Which kind of code was typed into a field that takes all kinds. Undefined if it is missing. */
  readTyped(typed: string): TypedCode | undefined {
    return this.factors.readTyped(typed);
  }

  /** The code at the end of a password field. Undefined if the end does not look like one. */
  readAppended(field: string): AppendedCode | undefined {
    return this.factors.readAppended(field);
  }

  /**
   * Judges a code and puts what came of it on record. What `accepted` answers if it was right: it is spent then,
   * and `accepted` is done in the same commit as the record. Undefined if it was refused.
   * @throws Refusal limit_exceeded, totp_waits, totp_shut
   */
  async judge<T>(judged: PresentedCode, accepted: () => Promise<T>): Promise<T | undefined> {
    const verdict = await this.addressLimit.attempt(
      judged.client,
      () => this.checkOrRecordWait(judged),
      (came) => came.verdict !== 'refused',
    );
    const recorded = this.audit.record({
      userId: judged.userId,
      event: this.eventOf(judged.stage, verdict),
      address: judged.client.ip,
      deviceId: judged.deviceId ?? null,
      detail: {
        place: judged.place,
        lane: verdict.lane,
        ...(verdict.verdict === 'accepted' ? verdict.detail : {}),
      },
    });
    if (verdict.verdict === 'refused' && verdict.hasShut) await this.recordThrottle(judged, 'throttle.shut');
    const [result] = await Promise.all([verdict.verdict === 'accepted' ? accepted() : undefined, recorded]);
    return result;
  }

  private async checkOrRecordWait(judged: PresentedCode): Promise<LanedVerdict> {
    try {
      return await this.check.check(judged);
    } catch (error) {
      if (error instanceof Refusal) await this.recordWait(judged);
      throw error;
    }
  }

  /** Once in a while: whoever comes again all the time must not fill the audit. */
  private async recordWait(judged: PresentedCode): Promise<void> {
    const key = `${judged.userId} ${judged.place}`;
    if (this.waitsOnRecord.isEmpty(key)) return;
    this.waitsOnRecord.spend(key);
    await this.recordThrottle(judged, 'throttle.wait');
  }

  private eventOf(stage: SecondFactorStage, verdict: LanedVerdict): AuditEvent {
    const factor = verdict.verdict === 'accepted' ? this.factors.ofStage(stage) : undefined;
    return factor === undefined ? 'factor.refused' : `${factor.kind}.used`;
  }

  private recordThrottle(judged: PresentedCode, event: 'throttle.wait' | 'throttle.shut'): Promise<void> {
    return this.audit.record({
      userId: judged.userId,
      event,
      address: judged.client.ip,
      deviceId: judged.deviceId ?? null,
      detail: { place: judged.place, stage: judged.stage },
    });
  }
}
