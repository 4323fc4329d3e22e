import type { Server } from 'node:http';
import type { Config } from '../config/config.ts';
import { LiveConfig } from '../config/live_config.ts';
import type { CreateFactor } from '../factors/list.ts';
import type { DoorTimes, FrontDoor } from '../gateway/front_door.ts';
import type { Delivery } from '../notify/delivery.ts';
import type { Storage } from '../storage/storage.ts';
import { type Clock, SECOND, systemClock, systemTicks, type Ticks } from '../system/clock.ts';
import { inTime } from '../system/in_time.ts';
import { type Log, silentLog } from '../system/log.ts';
import { type RandomSource, systemRandom } from '../system/random.ts';
import { UnderWay } from '../system/under_way.ts';
import type { Foundations } from './compose/foundations.ts';
import { compose, type Services } from './compose.ts';
import { Gauges } from './gauges.ts';
import { frontDoorOf } from './handlers.ts';
import { type Housekeeping, housekeepingOf } from './housekeeping.ts';
import type { Metrics } from './metrics.ts';
import { metricsListener } from './metrics_listener.ts';
import { type Opened, open } from './open.ts';
import { requireOneMachine } from './self_description.ts';
import { type SideListener, urlOf } from './side_listener.ts';
import { Watch } from './watch.ts';

/** What a proxy can be given instead of the real thing. */
export interface ProxyParts {
  readonly clock?: Clock;
  /** What the process has lived, in ms. */
  readonly ticks?: Ticks;
  readonly random?: RandomSource;
  readonly log?: Log;
  /** Factors besides those of the list: each is made once, and works at every door (docs/architecture.md). */
  readonly factors?: readonly CreateFactor[];
  /** Serve another database than the one that is known to have users with 2FA, and forget that one. */
  readonly acceptEmptyDatabase?: boolean;
  /** Shorter times than those of the real thing: how long clients and the homeserver may take. */
  readonly times?: DoorTimes & { readonly answerMs?: number };
}

/** How often notices that are due are looked for. */
const NOTICES_MS = SECOND;
/** How often ended holds are logged out and expired rows dropped. */
const HOUSEKEEPING_MS = 5 * SECOND;
/** How long a start waits for the homeserver to say whether it has an OAuth of its own. */
const OAUTH_ASKED_MS = SECOND;
const GRACE_MS = 10 * SECOND;
/** Connections that the system has taken and we have not yet: a flood of them fills it, and others come a second later. */
const BACKLOG = 4096;
/** How long logins that the homeserver has yet to answer are waited for at the end. */
const LOGINS_MS = 4 * SECOND;
/** How long what needs only the store by then is waited for. */
const LEFT_OVER_MS = SECOND;

/**
 * Builds a proxy from its configuration. It does not listen yet.
 * @throws KeyFileError, SchemaTooNew; ConfigError if the database is not the one in which users turned 2FA on
 */
export async function createProxy(atStart: Config, parts: ProxyParts = {}): Promise<MatrixProxy> {
  const live = new LiveConfig(atStart);
  const config = live.view;
  const { clock: machineClock = systemClock, random = systemRandom, log = silentLog, times = {} } = parts;
  const { ticks = systemTicks } = parts;
  const metrics = config.metrics.listen === undefined ? undefined : await newMetrics();
  const watch = new Watch({ log, metrics, ticks: systemTicks });
  const opened = await open({
    ...{ config, watch, machineClock, ticks, random, log, answerMs: times.answerMs },
    furtherFactors: parts.factors ?? [],
    acceptOther: parts.acceptEmptyDatabase === true,
  });
  const { keys, storage, notices, foundations } = opened;
  await notices.mailServer.load();
  const services = compose(foundations);
  const requests = new UnderWay();
  const frontDoor = frontDoorOf(foundations, services, { requests, watch, countsPassed: !!metrics, times });
  const { passing } = frontDoor;
  const { readiness, hasher } = services;
  const { clock } = foundations;
  const gauges = new Gauges({ storage, readiness, keys, clock, passing, hashQueue: () => hasher.waiting });
  return new MatrixProxy(live, {
    ...{ ...opened, services, requests, frontDoor, watch, log },
    delivery: notices.delivery(services.audit),
    housekeeping: housekeepingOf(opened, services),
    forWatchers: metrics && metricsListener({ metrics, readiness, lookUp: gauges.lookUp }),
    forAdministrators: config.admin.listen && (await adminOf(foundations, services)),
  });
}

/** Loaded only where metrics are asked for: the library takes memory. */
async function newMetrics(): Promise<Metrics> {
  const { Metrics } = await import('./metrics.ts');
  return new Metrics();
}

/** The same of the admin API. */
async function adminOf(foundations: Foundations, services: Services): Promise<SideListener> {
  const { adminListener } = await import('./admin_listener.ts');
  return adminListener(foundations, services);
}

/** The running proxy: listens, does its housekeeping, ends cleanly. */
export class MatrixProxy {
  constructor(
    private readonly live: LiveConfig,
    private readonly deps: Omit<Opened, 'foundations'> & {
      readonly services: Services;
      readonly delivery: Delivery;
      readonly housekeeping: Housekeeping;
      readonly requests: UnderWay;
      readonly frontDoor: FrontDoor;
      readonly forWatchers: SideListener | undefined;
      readonly forAdministrators: SideListener | undefined;
      readonly watch: Watch;
      readonly log: Log;
    },
  ) {}

  private get server(): Server {
    return this.deps.frontDoor.server;
  }

  get storage(): Storage {
    return this.deps.storage;
  }

  /**
   * Rejects where the database was away at the start and, once it is there, is one that `createProxy` would have
   * refused, with the same error. Gated routes answer 503 until the proxy is closed.
   */
  untilUnusable(): Promise<never> {
    return this.deps.unusable;
  }

  /** Where the listener for metrics is; undefined if there is none, or it does not listen yet. */
  get metricsUrl(): string | undefined {
    return this.deps.forWatchers?.url;
  }

  /** Where the admin API is, likewise. */
  get adminUrl(): string | undefined {
    return this.deps.forAdministrators?.url;
  }

  /** Sends the notices that are due, now. */
  sendNotices(): Promise<void> {
    return this.deps.delivery.round();
  }

  /** Says what of the users' factors is of no use under the present settings. Where the store is away it says nothing. */
  async remarkOnFactors(): Promise<void> {
    const remarks = await this.deps.services.factors.remarks().catch(() => []);
    for (const remark of remarks) this.deps.log.warn({}, remark);
  }

  /** Has the homeserver say, now and every hour, whom people find help at, unless `brand.help_url` does. */
  findContact(): void {
    this.deps.services.support?.start();
  }

  /** Logs out what has ended and drops what has expired, now. */
  keepHouse(): Promise<void> {
    return this.deps.housekeeping.round();
  }

  /**
   * Reads the keys again, and takes what can be changed now of a configuration: the settings with `reload` in
   * `config/settings.ts`.
   * @returns whether the keys are others than before
   * @throws KeyFileError, ConfigError: then nothing is taken
   */
  async reload(next: Config): Promise<boolean> {
    const prepared = this.live.prepared(next);
    const otherKeys = await this.deps.keys.reread();
    this.live.take(prepared);
    return otherKeys;
  }

  /**
   * Starts to listen. Answers with the URL that it listens on. Rejects if the address cannot be had.
   * @throws AnotherMachine
   */
  async listen(): Promise<string> {
    const { host, port } = this.live.view.listen;
    const { metrics, admin } = this.live.view;
    if (metrics.listen !== undefined) await this.deps.forWatchers?.listen(metrics.listen);
    if (admin.listen !== undefined) await this.deps.forAdministrators?.listen(admin.listen);
    await this.deps.housekeeping.enter();
    await requireOneMachine(this.live.view.storage, this.deps.storage);
    await inTime(this.deps.services.oauthSwitch.round(), OAUTH_ASKED_MS);
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, BACKLOG, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    this.deps.housekeeping.start(HOUSEKEEPING_MS);
    this.deps.delivery.start(NOTICES_MS);
    const url = urlOf(this.server, host);
    this.deps.watch.listening(url, { metrics: this.metricsUrl, admin: this.adminUrl });
    return url;
  }

  /**
   * Stops accepting, lets requests under way finish for up to `graceMs`, then closes everything. Sign-ins under
   * way can be finished after the next start (R10). Logins that the homeserver has not answered by then are waited
   * for a little longer, and logged out: here or, if that fails, after the next start (attack 164).
   */
  async close(graceMs = GRACE_MS, loginsMs = Math.min(graceMs, LOGINS_MS)): Promise<void> {
    const { housekeeping, frontDoor, homeserver, services, notices, delivery, requests, storage } = this.deps;
    this.deps.watch.stopping();
    services.support?.stop();
    await Promise.all([frontDoor.close(graceMs), housekeeping.stop(), inTime(delivery.stop(), graceMs)]);
    await Promise.all([this.deps.forWatchers?.close(), this.deps.forAdministrators?.close()]);
    await inTime(homeserver.endLogins(), loginsMs);
    await notices.close();
    // From here on nothing waits for the homeserver: what was under way notes in the store what it leaves.
    await homeserver.close();
    const leftOver = [
      requests.settled(),
      services.sweeper.settled(),
      services.pageSessionSweep.settled(),
      services.devicePasswordSweep.settled(),
      services.oauthSessionSweep.settled(),
      services.recoveryClock.settled(),
      homeserver.endLogins(),
      notices.addresses.settled(),
      delivery.stop(),
    ];
    await inTime(Promise.all(leftOver), LEFT_OVER_MS);
    await inTime(services.owedWrites.end(), LEFT_OVER_MS);
    await inTime(housekeeping.leave(), LEFT_OVER_MS);
    await storage.close();
  }
}
