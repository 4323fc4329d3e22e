import { existsSync } from 'node:fs';
import { copyTables } from '../storage/copied_tables.ts';
import { CannotOpen, SchemaTooNew, StoreUnavailable } from '../storage/errors.ts';
import { nameOfDatabase, onWholeDatabase, type StorageSettings } from '../storage/open_storage.ts';
import { settleDatabaseFile } from '../storage/sqlite/backup.ts';
import { databaseIsThere } from '../storage/sqlite/database_file.ts';
import { nameOfKept, replaceDatabaseFile } from '../storage/sqlite/replaced_file.ts';
import { countLiveProcesses } from '../storage/tables/processes.ts';
import { countEnrolled } from '../storage/tables/restored.ts';
import type { WholeDatabase } from '../storage/whole_database.ts';
import { CommandFailed } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

/** The schema version from which on processes are on record. */
const FIRST_WITH_PROCESSES = 15;

/** The database that a copy replaces. */
export interface Target {
  readonly name: string;
  /** How many have 2FA on in it; undefined if something is there that cannot be read. */
  readonly users: number | undefined;
  /** Puts the copy in its place; the answer is where the old one is now. */
  replaceBy(copy: string): Promise<string | undefined>;
}

/** @throws CommandFailed while a process serves on it */
export async function inspectTarget(storage: StorageSettings, surroundings: Surroundings): Promise<Target> {
  const name = nameOfDatabase(storage);
  const users = await usersOf(storage, surroundings);
  if (storage.type === 'sqlite')
    return { name, users, replaceBy: (copy) => replaceFile(copy, storage, surroundings) };
  return { name, users, replaceBy: async (copy) => replaceTables(copy, storage, surroundings) };
}

async function usersOf(storage: StorageSettings, { clock }: Surroundings): Promise<number | undefined> {
  if (storage.type === 'sqlite' && !databaseIsThere(storage.path)) return 0;
  try {
    return await onWholeDatabase(storage, { access: 'rehearse', clock }, (database) =>
      countUsers(database, nameOfDatabase(storage)),
    );
  } catch (error) {
    // A file that is broken is what a restore is for.
    const isBroken = [StoreUnavailable, CannotOpen, SchemaTooNew].some((kind) => error instanceof kind);
    if (storage.type === 'sqlite' && isBroken) return undefined;
    throw error;
  }
}

async function countUsers(database: WholeDatabase, name: string): Promise<number> {
  await requireNoProcessYet(database, name);
  await database.migrate();
  const [enrolled] = await database.write(countEnrolled());
  return enrolled?.count ?? 0;
}

/** @throws CommandFailed */
export async function requireNoProcess(database: WholeDatabase, name: string): Promise<void> {
  const [live] = await database.write(countLiveProcesses());
  if (live === undefined || live.count === 0) return;
  throw new CommandFailed(
    `${name} is in use by a running serve: stop all of them (one that was killed counts for half a minute)`,
  );
}

/** Before a database is migrated: another version may serve on it. @throws CommandFailed */
export async function requireNoProcessYet(database: WholeDatabase, name: string): Promise<void> {
  if ((await database.version()) >= FIRST_WITH_PROCESSES) await requireNoProcess(database, name);
}

async function replaceFile(
  copy: string,
  storage: Extract<StorageSettings, { type: 'sqlite' }>,
  surroundings: Surroundings,
): Promise<string | undefined> {
  const { path } = storage;
  const kept = nameOfKept(path, surroundings.clock.now());
  // The operator may have taken their time to say yes: this refuses where a `serve` has begun meanwhile.
  await usersOf(storage, surroundings);
  const wasThere = existsSync(path);
  if (wasThere && !settleDatabaseFile(path)) {
    throw new CommandFailed(`${path} is open in another program, which is in the way: end that first`);
  }
  replaceDatabaseFile(copy, path, kept);
  return wasThere ? kept : undefined;
}

async function replaceTables(
  copy: string,
  storage: StorageSettings,
  { clock }: Surroundings,
): Promise<undefined> {
  const from: StorageSettings = { type: 'sqlite', path: copy };
  await onWholeDatabase(from, { access: 'read', clock }, (copied) =>
    onWholeDatabase(storage, { access: 'write', clock }, async (database) => {
      await database.migrate();
      await requireNoProcess(database, nameOfDatabase(storage));
      await copyTables(copied, database);
    }),
  );
}
