import type { Audit } from '../audit/audit.ts';
import type { AccountRecoveryConfig } from '../config/config.ts';
import type { RecoverySetDeps } from '../factors/recovery/new_recovery_set.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  beginRecovery,
  findRecovery,
  findRecoverySettings,
  findRunningRecovery,
  markVouched,
  type SeenRecovery,
  shortenRecovery,
} from '../storage/tables/recovery_requests.ts';
import { HOUR } from '../system/clock.ts';
import { randomId } from '../system/random.ts';
import { newClaim } from './claim_code.ts';
import type { Eligibility } from './eligibility.ts';
import type { RecoveringUser, RecoveryName, RecoveryTelling } from './seams.ts';
import type { VotersAsked } from './voters_asked.ts';
import type { VouchedFor, Vouchers } from './vouchers.ts';

/** A wait that doubles grows no longer than this. */
export const LONGEST_WAIT_MS = 90 * 24 * HOUR;

export interface RecoveryBeginDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly audit: Audit;
  readonly codes: RecoverySetDeps;
  readonly eligibility: Eligibility;
  readonly vouchers: Vouchers;
  readonly telling: RecoveryTelling;
  readonly voters: Pick<VotersAsked, 'asking'>;
  readonly settings: AccountRecoveryConfig;
}

/** What came of a beginning. */
export type BegunRecovery =
  /** `claimCode` is shown now, and never again. */
  | { readonly is: 'begun'; readonly request: SeenRecovery; readonly claimCode: string }
  /** One runs already: nothing was changed. */
  | { readonly is: 'running'; readonly request: SeenRecovery };

/** Begins the recovery of an account whose password was right. */
export class RecoveryBegin {
  constructor(private readonly deps: RecoveryBeginDeps) {}

  /**
   * @param voucher an unused recovery code as it was typed; it is used up with the beginning
   * @throws Refusal recovery_forbidden, not_enrolled, wrong_voucher, too_many_recoveries, limit_exceeded
   */
  async begin(user: RecoveringUser, voucher?: string): Promise<BegunRecovery> {
    const { storage, eligibility, vouchers, codes } = this.deps;
    const { userId } = user;
    await eligibility.require(user);
    const running = await this.running(userId);
    if (running !== undefined) return running;
    const vouched = voucher === undefined ? undefined : await vouchers.judge(user, voucher);
    const request = { id: randomId(codes.random), userId };
    const { shown, claim } = await newClaim(userId, codes);
    const { waitMs, calendar } = this.deps.settings;
    const [own] = await storage.read(findRecoverySettings(userId));
    const beginning = beginRecovery({
      ...request,
      claim,
      begunFrom: user.client.ip,
      timeZone: own?.timeZone ?? null,
      absences: calendar.absences ? (own?.absences ?? '[]') : '[]',
      waitMs,
      longestMs: LONGEST_WAIT_MS,
    });
    const won = await this.consequences(user, request, vouched);
    if (!(await storage.commit([userId], when(beginning, { won, lost: [] }))).won) {
      const other = await this.running(userId);
      if (other === undefined) throw new Refusal('too_many_recoveries');
      return other;
    }
    const [begun] = await storage.read(findRecovery(request.id));
    if (begun === undefined) throw new Error('a recovery that was begun is gone');
    return { is: 'begun', request: begun, claimCode: shown };
  }

  private async running(userId: string): Promise<BegunRecovery | undefined> {
    const [request] = await this.deps.storage.read(findRunningRecovery(userId));
    return request && { is: 'running', request };
  }

  /** The record, whom it tells, and the shorter wait of a code that is used up with it. */
  private async consequences(
    user: RecoveringUser,
    request: RecoveryName,
    vouched: VouchedFor | undefined,
  ): Promise<Write> {
    const { audit, telling, voters, settings } = this.deps;
    const { userId, client } = user;
    const entry = { userId, client };
    const vouching =
      vouched === undefined
        ? []
        : when(vouched.spend, {
            won: [
              shortenRecovery(request.id, settings.vouch.waitMs),
              markVouched(request.id),
              audit.recorded({ ...entry, event: 'recovery.used', detail: vouched.detail }),
            ],
            lost: [],
          });
    const detail = { request: request.id, vouched: vouched !== undefined };
    return [
      vouching,
      await telling.fixed(user, request),
      await voters.asking(request),
      audit.recorded({ ...entry, event: 'recovery_request.begun', detail }),
      telling.tell(request, 'begun'),
    ];
  }
}
