import type { ClientAddress } from '../http/client_request.ts';
import type { AuditRecord, Chain } from '../storage/chain.ts';
import type { Driver, Write } from '../storage/statement.ts';
import type { Clock } from '../system/clock.ts';
import { type AuditEvent, actorOf, isUnproven } from './events.ts';

/** What happened, to whose account, from where. */
export interface AuditEntry {
  /** Absent where it is about no user. */
  readonly userId?: string;
  readonly event: AuditEvent;
  /** Who asked for it, and by which request; absent for what no client asked for. */
  readonly client?: Pick<ClientAddress, 'ip' | 'record'> | undefined;
  readonly deviceId?: string | null | undefined;
  /** Who did it, where that is not said by the event: `admin:<name of the token>`. */
  readonly actor?: string | undefined;
  /** Further facts. Never a code, password, token, seed or session id (rule R11). */
  readonly detail?: Readonly<Record<string, string | number | boolean>> | undefined;
}

export interface AuditDeps {
  readonly storage: Pick<Driver, 'commit'>;
  /** The chain of this process or command. */
  readonly chain: Chain;
  readonly clock: Clock;
  /** The name of the operator, for commands. */
  readonly operator?: string;
  /** What is written with an entry, in the same unit: what tells others of it. */
  readonly consequences?: (record: AuditRecord) => readonly Write[];
}

/** The record of what happened to whom, for the operator and for the user. */
export class Audit {
  private unproven = 0;

  constructor(private readonly deps: AuditDeps) {}

  /**
   * Whether so many entries of what needs no second factor were written since the last time that this was true. Someone
   * who has an access token can write them as fast as they can ask (attack 170).
   */
  hasHadUnproven(atLeast: number): boolean {
    if (this.unproven < atLeast) return false;
    this.unproven = 0;
    return true;
  }

  /**
   * Writes one entry by itself. Rejects with `StoreUnavailable` if it cannot be written: on gated routes that ends the
   * request, because what is not on record must not happen there (rule R9).
   */
  async record(entry: AuditEntry): Promise<void> {
    const { userId } = entry;
    await this.deps.storage.commit(userId === undefined ? [] : [userId], this.recorded(entry));
  }

  /** An entry as a part of the unit that does what it puts on record, with what follows from it. */
  recorded(entry: AuditEntry): readonly Write[] {
    const { chain, consequences } = this.deps;
    const record = this.recordOf(entry);
    if (isUnproven(entry.event)) this.unproven += 1;
    return [{ does: 'enter', record, chain }, ...(consequences?.(record) ?? [])];
  }

  private recordOf({ userId = '', event, ...entry }: AuditEntry): AuditRecord {
    const { client, deviceId = null, detail = {} } = entry;
    const kind = actorOf(event);
    const doer = kind === 'operator' ? `operator:${this.deps.operator ?? ''}` : kind;
    return {
      at: this.deps.clock.now(),
      userId,
      event,
      actor: entry.actor ?? doer,
      address: client?.ip ?? null,
      deviceId,
      requestId: client?.record?.id ?? null,
      detail,
    };
  }
}
