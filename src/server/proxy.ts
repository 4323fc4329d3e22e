import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Config, ConfigError } from '../config/config.ts';
import { LiveConfig } from '../config/live_config.ts';
import type { CreateFactor } from '../factors/list.ts';
import { createFrontDoor, type DoorTimes } from '../gateway/front_door.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { openWhenThere } from '../storage/awaited_storage.ts';
import { DatabaseClock } from '../storage/database_clock.ts';
import { NoDatabase } from '../storage/errors.ts';
import { nameOfDatabase, openStorage, type StorageSettings } from '../storage/open_storage.ts';
import type { Storage } from '../storage/storage.ts';
import { findDatabaseIdentity } from '../storage/tables/database_identity.ts';
import { LiveProcesses } from '../storage/tables/processes.ts';
import { type Clock, SECOND, systemClock } from '../system/clock.ts';
import { inTime } from '../system/in_time.ts';
import { type Log, silentLog } from '../system/log.ts';
import { type RandomSource, randomId, systemRandom } from '../system/random.ts';
import { UnderWay } from '../system/under_way.ts';
import { DatabaseMarks } from '../vault/database_marks.ts';
import { type KeyKeeper, openKeys } from '../vault/key_keeper.ts';
import { MarkKeeper } from '../vault/mark_keeper.ts';
import { compose, type Services } from './compose.ts';
import { routeHandlers, tracked } from './handlers.ts';
import { Housekeeping } from './housekeeping.ts';
import { requireOneMachine, selfDescription } from './self_description.ts';

/** What a proxy can be given instead of the real thing. */
export interface ProxyParts {
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly log?: Log;
  /** Factors besides those of the list: each is made once, and works at every door (docs/architecture.md). */
  readonly factors?: readonly CreateFactor[];
  /** Serve another database than the one that is known to have users with 2FA, and forget that one. */
  readonly acceptEmptyDatabase?: boolean;
  /** Shorter times than those of the real thing: how long clients and the homeserver may take. */
  readonly times?: DoorTimes & { readonly answerMs?: number };
}

/** How often ended holds are logged out and expired rows dropped. */
const HOUSEKEEPING_MS = 5 * SECOND;
const GRACE_MS = 10 * SECOND;
/** How long logins that the homeserver has yet to answer are waited for at the end. */
const LOGINS_MS = 4 * SECOND;
/** How long is waited for what needs nothing but the store any more. */
const LEFT_OVER_MS = SECOND;

/**
 * Builds a proxy from its configuration. It does not listen yet.
 * @throws KeyFileError, SchemaTooNew; ConfigError if the database is not the one in which users turned 2FA on
 */
export async function createProxy(atStart: Config, parts: ProxyParts = {}): Promise<MatrixProxy> {
  const live = new LiveConfig(atStart);
  const config = live.view;
  const { clock: machineClock = systemClock, random = systemRandom, log = silentLog, times = {} } = parts;
  const keys = await openKeys(config.keys.source, { clock: machineClock, random });
  const marks = new DatabaseMarks(config.keys, () => keys.ring);
  const acceptOther = parts.acceptEmptyDatabase === true;
  const clock = new DatabaseClock(machineClock);
  const onTime = (databaseNow: number) => clock.learn(databaseNow);
  const open = (make: boolean) => openStorage(config.storage, { clock: machineClock, random, onTime, make });
  const storage = await openWhenThere(
    () => openKnownDatabase(config.storage, { marks, acceptOther, open }),
    ({ reason }) => log.warn({}, `${nameOfDatabase(config.storage)}: is waited for: ${reason}`),
  );
  const processes = new LiveProcesses(storage, randomId(random), selfDescription(config, keys));
  const mark = new MarkKeeper(storage, marks, log);
  const homeserver = new HomeserverClient({
    url: config.homeserver.url,
    random,
    log,
    ...(times.answerMs === undefined
      ? {}
      : { answerTimeoutMs: times.answerMs, connectTimeoutMs: times.answerMs }),
  });
  const services = compose({
    config,
    storage,
    processes,
    vault: keys.vault,
    mark,
    homeserver,
    clock,
    machineClock,
    random,
    log,
    furtherFactors: parts.factors ?? [],
  });
  const housekeeping = new Housekeeping({
    storage,
    sweeper: services.sweeper,
    keys,
    mark,
    processes,
    log,
    setupMs: config.uia.sessionTtlMs,
  });
  const requests = new UnderWay();
  const frontDoor = createFrontDoor({
    upstream: new URL(config.homeserver.url),
    handlers: tracked(routeHandlers(services), services, requests),
    trustedProxies: () => config.trustedProxies,
    checkAnswer: (answer) => services.egressGate.check(answer),
    log,
    times,
  });
  return new MatrixProxy(live, { keys, storage, homeserver, services, housekeeping, requests, frontDoor });
}

/** The running proxy: listens, does its housekeeping, ends cleanly. */
export class MatrixProxy {
  constructor(
    private readonly live: LiveConfig,
    private readonly parts: {
      readonly keys: KeyKeeper;
      readonly storage: Storage;
      readonly homeserver: HomeserverClient;
      readonly services: Services;
      readonly housekeeping: Housekeeping;
      readonly requests: UnderWay;
      readonly frontDoor: ReturnType<typeof createFrontDoor>;
    },
  ) {}

  private get server(): Server {
    return this.parts.frontDoor.server;
  }

  get storage(): Storage {
    return this.parts.storage;
  }

  /** Logs out what has ended and drops what has expired, now. */
  keepHouse(): Promise<void> {
    return this.parts.housekeeping.round();
  }

  /**
   * Reads the keys again, and takes what can be changed now of a configuration: the settings with `reload` in
   * `config/settings.ts`.
   * @returns whether the keys are others than before
   * @throws KeyFileError if they cannot be read: then nothing is taken
   */
  async reload(next: Config): Promise<boolean> {
    const otherKeys = await this.parts.keys.reread();
    this.live.take(next);
    return otherKeys;
  }

  /**
   * Starts to listen. Answers with the URL that it listens on. Rejects if the address cannot be had.
   * @throws AnotherMachine
   */
  async listen(): Promise<string> {
    const { host, port } = this.live.view.listen;
    await this.parts.housekeeping.enter();
    await requireOneMachine(this.live.view.storage, this.parts.storage);
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    this.parts.housekeeping.start(HOUSEKEEPING_MS);
    return `http://${bracketed(host)}:${(this.server.address() as AddressInfo).port}`;
  }

  /**
   * Stops accepting, lets requests under way finish for up to `graceMs`, then closes everything. Sign-ins under
   * way can be finished after the next start (R10). Logins that the homeserver has not answered by then are waited
   * for a little longer, and logged out: here or, if that fails, after the next start (attack 164).
   */
  async close(graceMs = GRACE_MS, loginsMs = Math.min(graceMs, LOGINS_MS)): Promise<void> {
    const { housekeeping, frontDoor, homeserver, services, requests, storage } = this.parts;
    await Promise.all([frontDoor.close(graceMs), housekeeping.stop()]);
    await inTime(homeserver.endLogins(), loginsMs);
    // From here on nothing waits for the homeserver: what was under way notes in the store what it leaves.
    await homeserver.close();
    const leftOver = [requests.settled(), services.sweeper.settled(), homeserver.endLogins()];
    await inTime(Promise.all(leftOver), LEFT_OVER_MS);
    await inTime(housekeeping.leave(), LEFT_OVER_MS);
    await storage.close();
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

interface KnownDatabaseParts {
  readonly marks: DatabaseMarks;
  readonly acceptOther: boolean;
  /** @throws NoDatabase if it is missing and not to be made */
  open(make: boolean): Promise<Storage>;
}

/**
 * Opens the database, if it is one in which users turned 2FA on, or if no user has in any. With an empty or foreign
 * one in its place the password alone would sign in.
 *
 * @param acceptOther takes another one as well, and forgets those in which users have
 * @throws ConfigError if it is another one; KeyFileError; StoreUnavailable, CannotOpen, SchemaTooNew
 */
async function openKnownDatabase(
  settings: StorageSettings,
  { marks, acceptOther, open }: KnownDatabaseParts,
): Promise<Storage> {
  if (!marks.any()) return open(true);
  const name = nameOfDatabase(settings);
  const storage = await open(acceptOther).catch((error: unknown) => {
    throw error instanceof NoDatabase ? refused(`${name} is not there`, marks) : error;
  });
  try {
    const [identity] = await storage.read(findDatabaseIdentity());
    const known = identity !== undefined && identity.firstEnrolledAt !== null && marks.has(identity.id);
    if (!known && !acceptOther) throw refused(`${name} is not the database`, marks);
    if (!known) marks.clear();
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function refused(what: string, marks: DatabaseMarks): ConfigError {
  return new ConfigError(
    `${what} in which users have turned two-factor authentication on, as ${marks.file} remembers: restore it or ` +
      'correct `storage`; with --accept-empty-database serve goes on, and the password alone signs everybody in',
  );
}
