import { type Clock, HOUR, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';

/** How long one process has an ended login to itself: longer than its logout may wait for its turn and its answer. */
const LEASE_MS = 150 * SECOND;
/** How many logouts are under way at once; clients that log out share the connections (`homeserver_client.ts`). */
const MOST_AT_ONCE = 24;
/** After the first failure; each further one doubles it. */
const FIRST_PAUSE_MS = 30 * SECOND;
const LONGEST_PAUSE_MS = 6 * HOUR;

/** A login that has ended here, and lives on at the homeserver. */
export interface EndedLogin {
  readonly id: string;
  readonly userId: string;
  /** How often its logout was begun, this time included. */
  readonly attempts: number;
}

/** Where ended logins are kept until they are logged out. */
export interface EndedLogins<Login extends EndedLogin> {
  /** Up to `limit` of them, leased to this caller until `leaseUntil`: no two callers get the same one. */
  lease(leaseUntil: number, limit: number): Promise<readonly Login[]>;
  /** Gives one out again no sooner than at `until`. */
  postpone(id: string, until: number): Promise<void>;
  /** Logs it out at the homeserver, and then forgets it. Throws if the homeserver did not answer. */
  logOut(login: Login): Promise<void>;
}

/**
 * Logs what has ended out at the homeserver, ever more rarely until it has answered, also what another process left
 * behind (R10). The lease of the store makes it exactly one process for each login. Each logout stands for itself: one
 * that takes long takes one of many places, and delays no other (attack 165).
 */
export class LogoutSweep<Login extends EndedLogin> {
  private readonly underWay = new Set<Promise<void>>();
  private taking: Promise<void> | undefined;
  private gone = 0;

  constructor(
    private readonly ended: EndedLogins<Login>,
    private readonly deps: {
      readonly clock: Clock;
      readonly log: Log;
      /** What the log says where one could not be logged out. */
      readonly notYet: string;
    },
  ) {}

  /**
   * Logs out what has ended, and waits for the logouts that are under way: how many are gone now. What the homeserver
   * did not take stays for a later sweep. May be called again before it is done.
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
    for (;;) {
      if (this.underWay.size >= MOST_AT_ONCE) await Promise.race(this.underWay);
      const free = MOST_AT_ONCE - this.underWay.size;
      const ended = await this.ended.lease(this.deps.clock.now() + LEASE_MS, free);
      for (const login of ended) this.begin(login);
      if (ended.length < free) return;
    }
  }

  /** Resolves once no logout is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private begin(login: Login): void {
    const logout = this.end(login).finally(() => this.underWay.delete(logout));
    this.underWay.add(logout);
  }

  private async end(login: Login): Promise<void> {
    try {
      await this.ended.logOut(login);
      this.gone += 1;
    } catch (error) {
      this.deps.log.warn({ err: error, userId: login.userId }, this.deps.notYet);
      await this.tryLater(login);
    }
  }

  private async tryLater({ id, attempts }: Login): Promise<void> {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS);
    try {
      await this.ended.postpone(id, this.deps.clock.now() + pause);
    } catch (error) {
      // Its lease ends by itself.
      this.deps.log.warn({ err: error }, 'the store did not take when to try again');
    }
  }
}
