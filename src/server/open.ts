import type { Config } from '../config/config.ts';
import type { CreateFactor } from '../factors/list.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { openWhenThere } from '../storage/awaited_storage.ts';
import { DatabaseClock } from '../storage/database_clock.ts';
import { nameOfDatabase, openStorage } from '../storage/open_storage.ts';
import { storageAside, storageOn } from '../storage/storage.ts';
import { LiveProcesses } from '../storage/tables/processes.ts';
import { watchedDriver } from '../storage/watched_driver.ts';
import type { Clock, Ticks } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { DatabaseMarks } from '../vault/database_marks.ts';
import { openKeys } from '../vault/key_keeper.ts';
import { MarkKeeper } from '../vault/mark_keeper.ts';
import type { Foundations } from './compose/foundations.ts';
import { openKnownDatabase } from './known_database.ts';
import { noticesOf, noticingOwners } from './notices.ts';
import { selfDescription } from './self_description.ts';
import type { Watch } from './watch.ts';

export interface Opening {
  readonly config: Config;
  readonly watch: Watch;
  readonly machineClock: Clock;
  readonly ticks: Ticks;
  readonly random: RandomSource;
  readonly log: Log;
  /** How long the homeserver may take; undefined for its own times. */
  readonly answerMs: number | undefined;
  readonly furtherFactors: readonly CreateFactor[];
  /** Whether another database is taken than the one that is known to have users with 2FA. */
  readonly acceptOther: boolean;
}

/** What is open, with what has to be closed. */
export type Opened = Awaited<ReturnType<typeof open>>;

/**
 * Opens the keys, the database and connections to the homeserver, and says what services are made of.
 * @throws KeyFileError, SchemaTooNew; ConfigError if the database is not the one in which users turned 2FA on
 */
export async function open(opening: Opening) {
  const { config, watch, machineClock, random, log, answerMs, furtherFactors } = opening;
  const keys = await openKeys(config.keys.source, { clock: machineClock, random });
  const clock = new DatabaseClock(machineClock);
  const marks = new DatabaseMarks(config.keys, () => keys.ring);
  const { storage, unusable } = await openDatabase(opening, marks, clock);
  const aside = storageAside(storage);
  const homeserver = new HomeserverClient({
    ...{ url: config.homeserver.url, random, log, watch: watch.homeserver },
    ...(answerMs === undefined ? {} : { answerTimeoutMs: answerMs, connectTimeoutMs: answerMs }),
  });
  const notices = noticesOf({
    ...{ config, storage, vault: keys.vault, homeserver, clock, random, log },
    onResult: (channel, result) => watch.noticed(channel, result),
  });
  const foundations: Foundations = {
    ...{ config, storage, aside, clock, machineClock, ticks: opening.ticks, random, log, furtherFactors },
    processes: new LiveProcesses(aside, randomId(random), selfDescription(config, keys)),
    vault: keys.vault,
    mark: new MarkKeeper(aside, marks, log),
    homeserver: noticingOwners(homeserver, notices.addresses),
    addresses: notices.addresses,
    onHoldEnded: (held) => watch.holdEnded(held, config.login.holdTtlMs),
  };
  return { keys, storage, homeserver, notices, foundations, unusable };
}

async function openDatabase(
  { config, watch, machineClock, random, log, acceptOther }: Opening,
  marks: DatabaseMarks,
  clock: DatabaseClock,
) {
  const open = (make: boolean) =>
    openStorage(config.storage, {
      ...{ clock: machineClock, random, make },
      onTime: (databaseNow) => clock.learn(databaseNow),
      onRetry: (cause) => watch.retried(cause),
    });
  const { storage, unusable } = await openWhenThere(
    () => openKnownDatabase(config.storage, { marks, acceptOther, open }),
    ({ reason }) => log.warn({}, `${nameOfDatabase(config.storage)}: is waited for: ${reason}`),
  );
  return { storage: storageOn(watchedDriver(storage, watch.store)), unusable };
}
