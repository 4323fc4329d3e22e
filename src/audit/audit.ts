import type { Write } from '../storage/statement.ts';
import { type AuditRecord, type AuditStore, appendRecord, keepNewest } from '../storage/tables/audit.ts';
import type { Clock } from '../system/clock.ts';
import { type AuditEvent, isUnproven } from './events.ts';

/** Of each event that needs no second factor, for each user. */
const UNPROVEN_KEPT = 200;

/** What happened, to whose account, from where. */
export interface AuditEntry {
  readonly userId: string;
  readonly event: AuditEvent;
  /** The client's address; absent for the operator's own doings. */
  readonly address?: string | undefined;
  readonly deviceId?: string | null | undefined;
  /** Further facts. Never a code, password, token, seed or session id (rule R11). */
  readonly detail?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** The record of what happened to whom, for the operator and for the user. */
export class Audit {
  readonly #store: AuditStore;
  readonly #clock: Clock;
  readonly #consequences: (record: AuditRecord) => readonly Write[];

  /** @param consequences what is written with a line, in the same unit: what tells others of it */
  constructor(
    store: AuditStore,
    clock: Clock,
    consequences: (record: AuditRecord) => readonly Write[] = () => [],
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#consequences = consequences;
  }

  /**
   * Writes one line. Rejects with `StoreUnavailable` if it cannot be written: on gated routes that ends the
   * request, because what is not on record must not happen there (rule R9).
   */
  async record(entry: AuditEntry): Promise<void> {
    const line = this.line(entry);
    const newest = isUnproven(line.event) ? UNPROVEN_KEPT : undefined;
    await this.#store.append(line, newest, this.#consequences(line));
  }

  /** A line as a part of the unit that does what it puts on record, with what follows from it. */
  recorded(entry: AuditEntry): readonly Write[] {
    const line = this.line(entry);
    const bound = isUnproven(line.event) ? [keepNewest(line, UNPROVEN_KEPT)] : [];
    return [appendRecord(line), ...bound, ...this.#consequences(line)];
  }

  private line(entry: AuditEntry): AuditRecord {
    return {
      at: this.#clock.now(),
      userId: entry.userId,
      event: entry.event,
      address: entry.address ?? null,
      deviceId: entry.deviceId ?? null,
      detail: entry.detail ?? {},
    };
  }
}
