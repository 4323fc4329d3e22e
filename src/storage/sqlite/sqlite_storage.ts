import { type Clock, systemClock } from '../../system/clock.ts';
import { type BranchAnswer, effect, type RetryCause, type Unit } from '../statement.ts';
import { type Storage, storageOn } from '../storage.ts';
import { Connection } from './connection.ts';
import { GroupCommit } from './group_commit.ts';
import { runQuery, runUnit, Undo } from './unit_of_work.ts';

/**
 * Opens the store in an SQLite file, which is made (with its directory, for its owner only) where it is missing
 * and migrated where it is older. Several processes may have the same file open.
 * @param path - the file, or `:memory:`.
 * @param clock - tells the time that units of work are written at.
 * @param make - false: a missing one is not made.
 * @param onRetry - hears that a commit is tried again.
 * @param mayMigrate - false: an older one is refused.
 * @throws {StoreUnavailable} it cannot be opened now.
 * @throws {CannotOpen} it cannot be opened, now or later.
 * @throws {NoDatabase} it is missing, and not to be made.
 * @throws {SchemaTooOld} it is older, and must not be migrated.
 * @throws {SchemaTooNew} a newer version of this program wrote it.
 */
export async function openSqliteStorage({
  path,
  clock = systemClock,
  make = true,
  onRetry,
  mayMigrate = true,
}: {
  readonly path: string;
  readonly clock?: Clock;
  readonly make?: boolean;
  readonly onRetry?: ((cause: RetryCause) => void) | undefined;
  readonly mayMigrate?: boolean;
}): Promise<Storage> {
  const connection = Connection.open(path, { make, mayMigrate });
  const commits = new GroupCommit(connection, { onRetry });
  return storageOn({
    // SQLite has one writer at a time: no accounts need be locked.
    commit: ((_accounts, unit) => commitUnit(commits, unit, clock)) as Storage['commit'],
    read: (query) => connection.read((db) => runQuery(db, query, clock.now())),
    check: async () => void (await commitUnit(commits, CHECK, clock)),
    close: async () => {
      commits.finish();
      connection.close();
    },
  });
}

async function commitUnit(commits: GroupCommit, unit: Unit, clock: Clock): Promise<unknown> {
  try {
    return await commits.write((db) => runUnit(db, unit, clock.now()));
  } catch (error) {
    if (error instanceof Undo) return UNDONE;
    throw error;
  }
}

const CHECK = effect('UPDATE store_checks SET checks = checks + 1');

const UNDONE: BranchAnswer<unknown, never, 'undo'> = { won: false, undone: true };
