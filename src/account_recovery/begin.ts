import type { Audit } from '../audit/audit.ts';
import type { AccountRecoveryConfig } from '../config/config.ts';
import type { RecoverySetDeps } from '../factors/recovery/new_recovery_set.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Write, when, whenBoth } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  beginRecovery,
  findNextWait,
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
}

/** What came of a beginning. */
export type BegunRecovery =
  /** `claimCode` is shown now, and never again. */
  | { readonly is: 'begun'; readonly request: SeenRecovery; readonly claimCode: string }
  /** One runs already: nothing was changed. */
  | { readonly is: 'running'; readonly request: SeenRecovery };

/** What came of writing it. */
type Written = BegunRecovery | { readonly is: 'too_many' };

/** Begins the recovery of an account whose password was right. */
export class RecoveryBegin {
  constructor(
    private readonly deps: RecoveryBeginDeps,
    private readonly settings: AccountRecoveryConfig,
  ) {}

  /**
   * @param voucher an unused recovery code as it was typed; it is used up with the beginning
   * @throws Refusal recovery_forbidden, not_enrolled, wrong_voucher, too_many_recoveries, limit_exceeded
   */
  async begin(user: RecoveringUser, voucher?: string): Promise<BegunRecovery> {
    const { eligibility, vouchers } = this.deps;
    await eligibility.require(user);
    const running = await this.running(user.userId);
    if (running !== undefined) return running;
    const begun =
      voucher === undefined
        ? await this.write(user, undefined)
        : await vouchers.use(user, voucher, (code) => this.write(user, code));
    if (begun === undefined || begun.is === 'too_many') throw new Refusal('too_many_recoveries');
    return begun;
  }

  /** Undefined: nothing was begun, since the code was used up meanwhile, or the last factor has gone. */
  private async write(user: RecoveringUser, vouched: VouchedFor | undefined): Promise<Written | undefined> {
    const { storage, codes } = this.deps;
    const { userId } = user;
    const request = { id: randomId(codes.random), userId };
    const { shown, claim } = await newClaim(userId, codes);
    const won = await this.consequences(user, request, vouched);
    const beginning = beginRecovery({ ...(await this.termsFor(user)), ...request, claim });
    // Beginning by a code and using the code up are one unit: a code that is spent elsewhere shortens nothing.
    const unit =
      vouched === undefined
        ? when(beginning, { won, lost: 'undo' })
        : whenBoth(beginning, vouched.spend, won);
    if (!(await storage.commit([userId], unit)).won) return this.inItsPlace(userId);
    const [begun] = await storage.read(findRecovery(request.id));
    if (begun === undefined) throw new Error('a recovery that was begun is gone');
    return { is: 'begun', request: begun, claimCode: shown };
  }

  private async termsFor({ userId, client }: RecoveringUser) {
    const { waitMs, calendar } = this.settings;
    const [own] = await this.deps.storage.read(findRecoverySettings(userId));
    return {
      begunFrom: client.ip,
      timeZone: own?.timeZone ?? null,
      absences: calendar.absences ? (own?.absences ?? '[]') : '[]',
      ...{ waitMs, longestMs: LONGEST_WAIT_MS },
    };
  }

  /** Why a request was not begun. */
  private async inItsPlace(userId: string): Promise<Written | undefined> {
    const other = await this.running(userId);
    if (other !== undefined) return other;
    const { waitMs } = this.settings;
    const [next] = await this.deps.storage.read(findNextWait(userId, { waitMs, longestMs: LONGEST_WAIT_MS }));
    return next === undefined ? { is: 'too_many' } : undefined;
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
    const { audit, telling, voters } = this.deps;
    const { userId, client } = user;
    const entry = { userId, client };
    const vouching =
      vouched === undefined
        ? []
        : [
            shortenRecovery(request.id, this.settings.vouch.waitMs),
            markVouched(request.id),
            audit.recorded({ ...entry, event: 'recovery.used', detail: vouched.detail }),
          ];
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
