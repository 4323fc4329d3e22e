import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { HeldLogin, HoldStore } from '../storage/stores.ts';
import { type Clock, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { HeldLogins } from './held_logins.ts';

/** How long one process has an ended hold to itself while it logs it out. */
const LEASE_MS = 60 * SECOND;
/** How many ended holds are logged out at once. */
const BATCH = 20;

/**
 * Logs ended holds out at the homeserver, retrying until it has answered, also those that another process
 * left behind (R10). The lease of the store makes it exactly one process for each hold.
 */
export class HoldSweeper {
  private running: Promise<number> | undefined;

  constructor(
    private readonly store: HoldStore,
    private readonly holds: HeldLogins,
    private readonly homeserver: Homeserver,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  /** Logs out what has ended: how many are gone now. Holds that the homeserver did not take stay for the next sweep. */
  sweep(): Promise<number> {
    this.running ??= this.sweepOnce().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async sweepOnce(): Promise<number> {
    let gone = 0;
    for (;;) {
      const now = this.clock.now();
      const ended = await this.store.leaseEnded(now, now + LEASE_MS, BATCH);
      const results = await Promise.all(ended.map((held) => this.logOut(held)));
      gone += results.filter(Boolean).length;
      if (ended.length < BATCH) return gone;
    }
  }

  private async logOut(held: HeldLogin): Promise<boolean> {
    try {
      if (held.atEnd === 'logout') await this.homeserver.logout(this.holds.open(held).accessToken);
      await this.store.forget(held.id);
      await this.audit.record({
        userId: held.userId,
        event: 'login.held_ended',
        deviceId: held.deviceId,
        detail: { at_end: held.atEnd },
      });
      return true;
    } catch (error) {
      this.log.warn({ err: error, userId: held.userId }, 'a held login could not be logged out yet');
      return false;
    }
  }
}
