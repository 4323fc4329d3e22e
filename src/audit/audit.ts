import type { AuditRecord, AuditStore } from '../storage/stores.ts';
import type { Clock } from '../system/clock.ts';

/** Everything that the audit knows to have happened. A new event is a new line here. */
export type AuditEvent =
  /** The first authenticator was confirmed: 2FA is on. */
  | 'totp.enabled'
  /** A further authenticator was confirmed. */
  | 'totp.added'
  /** One of several authenticators was removed. */
  | 'totp.removed'
  | 'totp.renamed'
  /** The last authenticator was removed: 2FA is off. */
  | 'totp.disabled'
  | 'totp.used'
  | 'recovery.used'
  | 'recovery.regenerated'
  | 'recovery.deleted'
  /** A wrong or spent code, or another second factor that was not accepted. */
  | 'factor.refused'
  /** Too many wrong codes: the next attempts are not looked at for a while. */
  | 'throttle.wait'
  | 'throttle.shut'
  /** A sign-in with a second factor came through. */
  | 'login.completed'
  /** A login that waited for its second factor ended without it. */
  | 'login.held_ended'
  /** A guarded request (spec/guarded_endpoints.md) was let through after its second factor. */
  | 'guard.passed'
  /** An application service that the operator listed logged in. */
  | 'appservice.login'
  /** The operator removed every factor of a user. */
  | 'operator.reset'
  /** The operator ended a user's waits. */
  | 'operator.unlock';

/**
 * What happens without a second factor, as often as somebody with a password or a token alone likes. Of each only
 * the newest stay, for each user: nothing less than a factor makes the record grow without an end.
 */
export const UNPROVEN_EVENTS: readonly AuditEvent[] = [
  'totp.renamed',
  'factor.refused',
  'throttle.wait',
  'login.held_ended',
];
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

/** The account of what happened to whom, for the operator and for the user himself. */
export class Audit {
  readonly #store: AuditStore;
  readonly #clock: Clock;

  constructor(store: AuditStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Writes one line. Rejects with `StoreUnavailable` if it cannot be written: on gated routes that ends the
   * request, because what is not on record must not happen there (rule R9).
   */
  async record(entry: AuditEntry): Promise<void> {
    await this.write(this.line(entry));
  }

  /** Writes a line that was made before. */
  write(line: AuditRecord): Promise<void> {
    const bounded = UNPROVEN_EVENTS.some((event) => event === line.event);
    return this.#store.append(line, bounded ? UNPROVEN_KEPT : undefined);
  }

  /** The line for an entry, where it is written together with what it tells of. */
  line(entry: AuditEntry): AuditRecord {
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
