import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { Write } from '../storage/statement.ts';
import type { EndedHold, HoldStore } from '../storage/tables/holds.ts';
import { type Clock, HOUR, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/** How long one process has an ended hold to itself: longer than its logout may wait for its turn and its answer. */
const LEASE_MS = 150 * SECOND;
/** How many logouts are under way at once; clients that log out share the connections (`homeserver_client.ts`). */
const MOST_AT_ONCE = 24;
/** After the first failure; each further one doubles it. */
const FIRST_PAUSE_MS = 30 * SECOND;
const LONGEST_PAUSE_MS = 6 * HOUR;

/**
 * Logs ended holds out at the homeserver, ever more rarely until it has answered, also those that another process
 * left behind (R10). The lease of the store makes it exactly one process for each hold. Each logout stands for
 * itself: one that takes long takes one of many places, and delays no other (attack 165).
 */
export class HoldSweeper {
  private readonly underWay = new Set<Promise<void>>();
  private taking: Promise<void> | undefined;
  private gone = 0;

  constructor(
    private readonly store: HoldStore,
    private readonly holds: HeldLogins,
    private readonly homeserver: Homeserver,
    private readonly audit: Audit,
    private readonly clock: Clock,
    private readonly log: Log,
    private readonly onEnded: (held: EndedHold) => void = () => undefined,
  ) {}

  /**
   * Logs out what has ended, and waits for the logouts that are under way: how many are gone now. Holds that the
   * homeserver did not take stay for a later sweep. May be called again before it is done.
   */
  async sweep(): Promise<number> {
    const before = this.gone;
    this.taking ??= this.takeAll().finally(() => {
      this.taking = undefined;
    });
    await this.taking;
    await this.settled();
    return this.gone - before;
  }

  /** Begins with everything that has ended, as places become free. */
  private async takeAll(): Promise<void> {
    await this.holds.doubtful.end();
    for (;;) {
      if (this.underWay.size >= MOST_AT_ONCE) await Promise.race(this.underWay);
      const free = MOST_AT_ONCE - this.underWay.size;
      const ended = await this.store.leaseEnded(this.clock.now() + LEASE_MS, free);
      for (const held of ended) this.begin(held);
      if (ended.length < free) return;
    }
  }

  /** Resolves once no logout is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private begin(held: EndedHold): void {
    const logout = this.end(held).finally(() => this.underWay.delete(logout));
    this.underWay.add(logout);
  }

  private async end(held: EndedHold): Promise<void> {
    try {
      await this.logOut(held);
      this.gone += 1;
    } catch (error) {
      this.log.warn({ err: error, userId: held.userId }, 'a held login could not be logged out yet');
      await this.tryLater(held);
    }
  }

  private async logOut(held: EndedHold): Promise<void> {
    if (held.atEnd === 'logout') await this.holds.open(held).grant.logOut(this.homeserver);
    await this.store.forget(held.id, this.recorded(held));
    this.onEnded(held);
  }

  private recorded({ userId, deviceId, atEnd }: EndedHold): Write {
    if (userId === '') return [];
    return this.audit.recorded({
      ...{ userId, deviceId, event: 'login.held_ended' },
      detail: { at_end: atEnd },
    });
  }

  private async tryLater({ id, attempts }: EndedHold): Promise<void> {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS);
    try {
      await this.store.leaseUntil(id, this.clock.now() + pause);
    } catch (error) {
      // The lease that it has ends by itself.
      this.log.warn({ err: error }, 'the store did not take when to try again');
    }
  }
}
