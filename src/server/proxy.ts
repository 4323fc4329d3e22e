import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import type { CreateFactor } from '../factors/list.ts';
import type { Handlers } from '../gateway/app.ts';
import { createFrontDoor, type DoorTimes } from '../gateway/front_door.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import type { Handler } from '../http/answer.ts';
import type { Challenges } from '../second_factor/challenges.ts';
import { openWhenThere } from '../storage/awaited_storage.ts';
import { openStorage } from '../storage/open_storage.ts';
import type { Storage } from '../storage/stores.ts';
import { LiveProcesses } from '../storage/tables/processes.ts';
import { type Clock, SECOND, systemClock } from '../system/clock.ts';
import { inTime } from '../system/in_time.ts';
import { type Log, silentLog } from '../system/log.ts';
import { type RandomSource, randomId, systemRandom } from '../system/random.ts';
import { UnderWay } from '../system/under_way.ts';
import { DatabaseMarks } from '../vault/database_marks.ts';
import { loadKeyRing } from '../vault/key_ring.ts';
import { MarkKeeper } from '../vault/mark_keeper.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { routeHandlers } from './handlers.ts';
import { Housekeeping } from './housekeeping.ts';
import { openKnownDatabase } from './known_database.ts';
import { composeRooms, type Rooms } from './rooms.ts';

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
export async function createProxy(config: Config, parts: ProxyParts = {}): Promise<MatrixProxy> {
  const { clock = systemClock, random = systemRandom, log = silentLog, times = {} } = parts;
  const { file } = config.keys;
  const vault = new SealingVault(loadKeyRing(file), random, { clock, reload: () => loadKeyRing(file) });
  const marks = new DatabaseMarks(config.keys);
  const acceptOther = parts.acceptEmptyDatabase === true;
  const open = () => openStorage(config.storage, { clock, random });
  const storage = await openWhenThere(() => openKnownDatabase(config.storage, { marks, acceptOther, open }));
  const processes = new LiveProcesses(storage, randomId(random));
  const mark = new MarkKeeper(storage, marks, log);
  const homeserver = new HomeserverClient({
    url: config.homeserver.url,
    random,
    log,
    ...(times.answerMs === undefined
      ? {}
      : { answerTimeoutMs: times.answerMs, connectTimeoutMs: times.answerMs }),
  });
  const rooms = composeRooms({
    config,
    storage,
    processes,
    vault,
    mark,
    homeserver,
    clock,
    random,
    log,
    furtherFactors: parts.factors ?? [],
  });
  const housekeeping = new Housekeeping({
    storage,
    sweeper: rooms.sweeper,
    keys: vault,
    mark,
    processes,
    clock,
    log,
    setupMs: config.uia.sessionTtlMs,
  });
  const requests = new UnderWay();
  const frontDoor = createFrontDoor({
    upstream: new URL(config.homeserver.url),
    handlers: tracked(routeHandlers(rooms), rooms.challenges, requests),
    trustedProxies: config.trustedProxies,
    checkAnswer: (answer) => rooms.egressGate.check(answer),
    log,
    times,
  });
  return new MatrixProxy(config, { storage, homeserver, rooms, housekeeping, requests, frontDoor });
}

/** The running proxy: listens, does its housekeeping, ends cleanly. */
export class MatrixProxy {
  constructor(
    private readonly config: Config,
    private readonly parts: {
      readonly storage: Storage;
      readonly homeserver: HomeserverClient;
      readonly rooms: Rooms;
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

  /** Starts to listen. Answers with the URL that it listens on. Rejects if the address cannot be had. */
  async listen(): Promise<string> {
    const { host, port } = this.config.listen;
    await this.parts.housekeeping.enter();
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
    const { housekeeping, frontDoor, homeserver, rooms, requests, storage } = this.parts;
    await housekeeping.stop();
    await frontDoor.close(graceMs);
    await inTime(homeserver.endLogins(), loginsMs);
    // From here on nothing waits for the homeserver: what was under way notes in the store what it leaves.
    await homeserver.close();
    const leftOver = [requests.settled(), rooms.sweeper.settled(), homeserver.endLogins()];
    await inTime(Promise.all(leftOver), LEFT_OVER_MS);
    await inTime(housekeeping.leave(), LEFT_OVER_MS);
    await storage.close();
  }
}

/**
 * Notes what the handlers are doing: a request may go on when its connection was cut. What factors ask of a client is
 * added to their answers.
 */
function tracked(handlers: Handlers, challenges: Challenges, requests: UnderWay): Handlers {
  const entries = Object.entries(handlers).map(([id, handler]): [string, Handler] => {
    const asking = challenges.inAnswersOf(handler);
    return [id, (request) => requests.track(asking(request))];
  });
  return Object.fromEntries(entries) as Handlers;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
