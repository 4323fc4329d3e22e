import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import { createFrontDoor } from '../gateway/front_door.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { openWhenThere } from '../storage/awaited_storage.ts';
import { openSqliteStorage } from '../storage/sqlite/sqlite_storage.ts';
import type { Storage } from '../storage/stores.ts';
import { type Clock, SECOND, systemClock } from '../system/clock.ts';
import { type Log, silentLog } from '../system/log.ts';
import { type RandomSource, systemRandom } from '../system/random.ts';
import { loadKeyRing } from '../vault/key_ring.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { Housekeeping } from './housekeeping.ts';
import { composeRooms, type Rooms } from './rooms.ts';
import { routeHandlers } from './route_handlers.ts';

/** What a proxy can be given instead of the real thing. */
export interface ProxyParts {
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly log?: Log;
}

/** How often ended holds are logged out and expired rows dropped. */
const HOUSEKEEPING_MS = 5 * SECOND;
const GRACE_MS = 10 * SECOND;

/**
 * Builds a proxy from its configuration. It does not listen yet.
 * @throws KeyFileError, SchemaTooNew
 */
export async function createProxy(config: Config, parts: ProxyParts = {}): Promise<MatrixProxy> {
  const { clock = systemClock, random = systemRandom, log = silentLog } = parts;
  const { file } = config.keys;
  const vault = new SealingVault(loadKeyRing(file), random, { clock, reload: () => loadKeyRing(file) });
  const storage = await openWhenThere(() => openSqliteStorage({ path: config.storage.path, clock }));
  const homeserver = new HomeserverClient({ url: config.homeserver.url, random, log });
  const rooms = composeRooms({ config, storage, vault, homeserver, clock, random, log });
  const housekeeping = new Housekeeping(storage, rooms.sweeper, vault, clock, log);
  const frontDoor = createFrontDoor({
    upstream: new URL(config.homeserver.url),
    handlers: routeHandlers(rooms),
    trustedProxies: config.trustedProxies,
    log,
  });
  return new MatrixProxy(config, { storage, homeserver, rooms, housekeeping, frontDoor });
}

/** The running whole: listens, keeps house, ends cleanly. */
export class MatrixProxy {
  constructor(
    private readonly config: Config,
    private readonly parts: {
      readonly storage: Storage;
      readonly homeserver: HomeserverClient;
      readonly rooms: Rooms;
      readonly housekeeping: Housekeeping;
      readonly frontDoor: ReturnType<typeof createFrontDoor>;
    },
  ) {}

  /** For tests that bring their own listener. */
  get server(): Server {
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
   * way can be finished after the next start (R10).
   */
  async close(graceMs = GRACE_MS): Promise<void> {
    await this.parts.housekeeping.stop();
    await this.parts.frontDoor.close(graceMs);
    await this.parts.homeserver.close();
    await this.parts.storage.close();
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
