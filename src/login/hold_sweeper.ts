import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { EndedHold } from '../storage/tables/holds.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { LogoutSweep } from './logout_sweep.ts';

/** It is this program itself that asks. */
const OURSELVES = { ip: '127.0.0.1', proto: 'http', host: undefined } as const;
/** How often the homeserver may refuse to end other devices: after that a changed password has probably ended them. */
const MOST_REFUSED = 5;

/** Logs ended holds out at the homeserver (R10). */
export class HoldSweeper {
  private readonly logouts: LogoutSweep<EndedHold>;

  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'holds'>;
      readonly holds: HeldLogins;
      readonly homeserver: Homeserver;
      readonly audit: Audit;
      readonly clock: Clock;
      readonly log: Log;
      readonly onHoldEnded?: (held: EndedHold) => void;
    },
  ) {
    const { storage, clock, log } = deps;
    const ended = {
      lease: (until: number, limit: number) => this.leaseEnded(until, limit),
      postpone: (id: string, until: number) => storage.holds.leaseUntil(id, until),
      logOut: (held: EndedHold) => this.logOut(held),
    };
    this.logouts = new LogoutSweep(ended, { clock, log, notYet: 'a held login could not be logged out yet' });
  }

  /** As `LogoutSweep.sweep`. */
  sweep(): Promise<number> {
    return this.logouts.sweep();
  }

  /** Resolves once no logout is under way. */
  settled(): Promise<void> {
    return this.logouts.settled();
  }

  private async leaseEnded(until: number, limit: number): Promise<EndedHold[]> {
    await this.deps.holds.doubtful.end();
    return this.deps.storage.holds.leaseEnded(until, limit);
  }

  private async logOut(held: EndedHold): Promise<void> {
    await this.endOthers(held);
    if (held.atEnd === 'logout') await this.deps.holds.open(held).grant.logOut(this.deps.homeserver);
    await this.deps.storage.holds.forget(held.id, this.recorded(held));
    this.deps.onHoldEnded?.(held);
  }

  /** What a recovered account still owes: its person has left, or the process died, before they were signed out. */
  private async endOthers(held: EndedHold): Promise<void> {
    const { grant, password, endsOthers = false } = this.deps.holds.open(held);
    if (!endsOthers || password === undefined) return;
    const areGone = await grant.endOtherDevices(this.deps.homeserver, password, OURSELVES);
    if (!areGone && held.attempts < MOST_REFUSED)
      throw new Error('the other devices of a recovered account are still signed in');
  }

  private recorded({ userId, deviceId, atEnd }: EndedHold): Write {
    if (userId === '') return [];
    return this.deps.audit.recorded({
      ...{ userId, deviceId, event: 'login.held_ended' },
      detail: { at_end: atEnd },
    });
  }
}
