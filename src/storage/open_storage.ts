import { type Clock, systemClock } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import { type PostgresAddress, postgresName } from './postgres/address.ts';
import { openSqliteStorage } from './sqlite/sqlite_storage.ts';
import { onWholeSqlite } from './sqlite/whole_sqlite.ts';
import type { RetryCause } from './statement.ts';
import type { Storage } from './storage.ts';
import type { WholeDatabase, WholeOptions } from './whole_database.ts';

/** Which database there is. */
export type StorageSettings = (
  | { readonly type: 'sqlite'; readonly path: string }
  | ({ readonly type: 'postgres' } & PostgresAddress)
) & {
  /** `never`: only the command `migrate` brings an older schema up to date. */
  readonly migrate?: 'auto' | 'never';
};

interface Opening {
  /** The system's, or that of a test: PostgreSQL tells the time itself in the first case. */
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Told the time of a database on a server with each commit. */
  readonly onTime?: (databaseNow: number) => void;
  /** False: it is not made where it is missing. In a wrong place an empty one looks as if no user had 2FA on. */
  readonly make?: boolean;
  /** Hears that a unit is run again, and why. */
  readonly onRetry?: ((cause: RetryCause) => void) | undefined;
}

/**
 * Opens the database, and migrates it where it is older. What PostgreSQL needs is loaded only where it is used: it takes
 * memory.
 * @throws StoreUnavailable if it may be there later; CannotOpen, NoDatabase, SchemaTooNew, SchemaTooOld
 */
export async function openStorage(
  settings: StorageSettings,
  { clock, random, onTime, make = true, onRetry }: Opening,
): Promise<Storage> {
  const mayMigrate = settings.migrate !== 'never';
  if (settings.type === 'sqlite') {
    return openSqliteStorage({ path: settings.path, clock, make, mayMigrate, onRetry });
  }
  const { openPostgresStorage } = await import('./postgres/postgres_storage.ts');
  return openPostgresStorage({
    ...settings,
    clock: clock === systemClock ? undefined : clock,
    random,
    onTime,
    make,
    onRetry,
    mayMigrate,
  });
}

/** The database's name for people, without a password. */
export function nameOfDatabase(settings: StorageSettings): string {
  return settings.type === 'sqlite' ? settings.path : postgresName(settings);
}

/**
 * Opens a database for one transaction on all of it, without migrating it. What `work` throws undoes everything.
 * Processes that start meanwhile wait until a transaction that writes is over.
 * @throws StoreUnavailable, CannotOpen, NoDatabase where one is to be read
 */
export async function onWholeDatabase<T>(
  settings: StorageSettings,
  { access, clock }: WholeOptions,
  work: (database: WholeDatabase) => Promise<T>,
): Promise<T> {
  if (settings.type === 'sqlite') return onWholeSqlite(settings.path, { access, clock }, work);
  const { onWholePostgres } = await import('./postgres/whole_postgres.ts');
  return onWholePostgres(settings, { access, clock: clock === systemClock ? undefined : clock }, work);
}
