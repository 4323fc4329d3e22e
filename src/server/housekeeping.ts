import type { Log } from '../system/log.ts';
import { allDone } from '../system/under_way.ts';
import type { Services } from './compose.ts';
import { ExpiredRows } from './expired_rows.ts';
import type { Opened } from './open.ts';
import { Presence } from './presence.ts';

/** What has to be done from time to time, without a request. */
export class Housekeeping {
  private timer: NodeJS.Timeout | undefined;
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly deps: {
      readonly presence: Presence;
      readonly expired: ExpiredRows;
      /** What else a round does; their order does not matter. */
      readonly tasks: readonly (() => Promise<unknown>)[];
      /** What waits for the homeserver, after the round: it logs out there, or asks it. */
      readonly upstream: readonly (() => Promise<unknown>)[];
      readonly log: Log;
    },
  ) {}

  /** As `Presence.enter`. */
  enter(): Promise<void> {
    return this.deps.presence.enter();
  }

  /** As `Presence.leave`. */
  leave(): Promise<void> {
    return this.deps.presence.leave();
  }

  start(everyMs: number): void {
    this.timer = setInterval(() => void this.roundQuietly(), everyMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.underWay?.catch(() => undefined);
  }

  /** One round. A homeserver that is slow delays no later round, and a task that fails keeps no login from its end. */
  async round(): Promise<void> {
    this.underWay ??= this.tidy().finally(() => {
      this.underWay = undefined;
    });
    try {
      await this.underWay;
    } finally {
      await allDone(this.deps.upstream.map((each) => each()));
    }
  }

  private async roundQuietly(): Promise<void> {
    try {
      await this.round();
    } catch (error) {
      this.deps.log.warn({ err: error }, 'housekeeping failed; trying again');
    }
  }

  private async tidy(): Promise<void> {
    const { presence, expired, tasks } = this.deps;
    await expired.endWrongTimes();
    await allDone([...tasks.map((task) => task()), presence.renew(), expired.drop()]);
  }
}

export function housekeepingOf({ keys, foundations }: Opened, services: Services): Housekeeping {
  const { sweeper, pageSessionSweep, devicePasswordSweep, oauthSessionSweep } = services;
  const { audit, owedWrites, pruning, reminders } = services;
  const { recoveryClock, oauthSwitch, oauthClientsLease } = services;
  const { aside, mark, processes, log, config } = foundations;
  return new Housekeeping({
    presence: new Presence({ mark, processes, audit }),
    expired: new ExpiredRows({
      storage: aside,
      clientsLease: oauthClientsLease,
      allowance: () => config.limits.signInPerUser,
      setupMs: config.uia.sessionTtlMs,
    }),
    tasks: [
      () => refreshKeys(keys, log),
      () => owedWrites.round(),
      () => pruning.inTime(audit),
      () => reminders.round(),
    ],
    upstream: [
      ...[sweeper, pageSessionSweep, devicePasswordSweep, oauthSessionSweep].map(
        (each) => () => each.sweep(),
      ),
      () => recoveryClock.round(),
      () => oauthSwitch.round(),
    ],
    log,
  });
}

/** Keys that cannot be read now do not stop sign-ins: the known ones stay in use. */
async function refreshKeys(keys: Opened['keys'], log: Log): Promise<void> {
  try {
    await keys.refresh();
  } catch (error) {
    log.warn({ err: error }, 'the keys could not be read again');
  }
}
