import type { Audit } from '../audit/audit.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { type Grounds, groundsDetail } from '../rescue/help.ts';
import { type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  approveRecovery,
  endRecovery,
  findRunningRecovery,
  type RecoveryEnd,
} from '../storage/tables/recovery_requests.ts';
import type { RecoveryName, RecoveryTelling } from './seams.ts';

export interface RecoveryEndingsDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly audit: Audit;
  readonly telling: Pick<RecoveryTelling, 'tell'>;
}

/** How a request is ended by someone. */
export interface EndedBy extends Pick<RecoveryEnd, 'by'> {
  /** Who it was, as far as that is known; for an operator the name. */
  readonly who?: string | undefined;
  readonly reason?: string | undefined;
  readonly client?: Pick<ClientAddress, 'ip' | 'record'> | undefined;
  /** The actor in the audit, where that is neither its user nor the operator at the command line. */
  readonly actor?: string | undefined;
}

/** Ends that no one has chosen for this request. */
const BY_ITSELF: readonly RecoveryEnd['by'][] = ['session_use', 'restore', 'turned_off'];

/** An operator who decides. */
export interface DecidingOperator {
  readonly grounds: Grounds;
  /** Their name, as the request keeps it. */
  readonly who: string;
  /** The actor in the audit, where that is not the operator at the command line. */
  readonly by?: string | undefined;
}

/** How requests end, and are opened, by what people do: one conditional write decides each. */
export class RecoveryEndings {
  constructor(private readonly deps: RecoveryEndingsDeps) {}

  /** What ends a request, and puts it on record, if it still runs. */
  cancelling({ id, userId }: RecoveryName, { by, who, reason, client, ...given }: EndedBy) {
    const { audit, telling } = this.deps;
    const state = by === 'session_use' ? 'refused' : 'cancelled';
    const detail = {
      request: id,
      channel: by,
      ...(who === undefined ? {} : { who }),
      ...(reason === undefined ? {} : { reason }),
    };
    const actor = BY_ITSELF.includes(by) ? 'system' : given.actor;
    const recorded = audit.recorded({ userId, event: 'recovery_request.cancelled', client, actor, detail });
    return when(endRecovery(id, { state, by, who: who ?? null, reason: reason ?? null }), {
      won: [recorded, telling.tell({ id, userId }, 'ended')],
      lost: [],
    });
  }

  /** Whether it was this call that ended it. */
  async cancel(request: RecoveryName, ending: EndedBy): Promise<boolean> {
    return (await this.deps.storage.commit([request.userId], this.cancelling(request, ending))).won;
  }

  /** What goes with a second factor that was accepted: its owner needs no recovery. */
  async byFactor(userId: string, client: ClientAddress): Promise<Write> {
    const [running] = await this.deps.storage.read(findRunningRecovery(userId));
    return running === undefined ? [] : this.cancelling(running, { by: 'sign_in', client });
  }

  /** What goes with the reset of an account: without a second factor there is nothing to recover. */
  async byReset(userId: string, actor: string | undefined): Promise<Write> {
    const [running] = await this.deps.storage.read(findRunningRecovery(userId));
    return running === undefined ? [] : this.cancelling(running, { by: 'reset', actor });
  }

  /** The operator ends it. False if it does not run any more. */
  async deny(
    request: RecoveryName,
    { grounds, who, by }: DecidingOperator,
    also: Write = [],
  ): Promise<boolean> {
    const { audit, telling, storage } = this.deps;
    const { id, userId } = request;
    const detail = { request: id, ...groundsDetail(grounds) };
    const recorded = audit.recorded({ userId, event: 'recovery_request.denied', actor: by, detail });
    const end = { state: 'cancelled', by: 'operator', who, reason: grounds.reason } as const;
    const won = [recorded, telling.tell(request, 'ended'), also];
    return (await storage.commit([userId], when(endRecovery(id, end), { won, lost: [] }))).won;
  }

  /** The operator opens it now. False if it does not wait any more. */
  async approve(
    request: RecoveryName,
    { grounds, by }: DecidingOperator,
    claimWindowMs: number,
    also: Write = [],
  ): Promise<boolean> {
    const { audit, telling, storage } = this.deps;
    const { id, userId } = request;
    const detail = { request: id, ...groundsDetail(grounds) };
    const recorded = audit.recorded({ userId, event: 'recovery_request.approved', actor: by, detail });
    const won = [recorded, telling.tell(request, 'opened'), also];
    return (await storage.commit([userId], when(approveRecovery(id, claimWindowMs), { won, lost: [] }))).won;
  }
}
