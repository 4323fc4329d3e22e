import { type Clock, systemClock } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import { type PostgresAddress, postgresName } from './postgres/address.ts';
import { openPostgresStorage } from './postgres/postgres_storage.ts';
import { databaseIsThere } from './sqlite/database_file.ts';
import { openSqliteStorage } from './sqlite/sqlite_storage.ts';
import type { Storage } from './storage.ts';

/** Which database there is. */
export type StorageSettings =
  | { readonly type: 'sqlite'; readonly path: string }
  | ({ readonly type: 'postgres' } & PostgresAddress);

/**
 * Opens the database; it is made where it is missing, and migrated where it is older.
 * @param clock the system's, or that of a test: PostgreSQL tells the time itself in the first case
 * @throws StoreUnavailable, SchemaTooNew, DatabaseRefused
 */
export function openStorage(
  settings: StorageSettings,
  { clock, random }: { readonly clock: Clock; readonly random: RandomSource },
): Promise<Storage> {
  if (settings.type === 'sqlite') return openSqliteStorage({ path: settings.path, clock });
  return openPostgresStorage({ ...settings, clock: clock === systemClock ? undefined : clock, random });
}

/** The database's name for people, without a password. */
export function nameOfDatabase(settings: StorageSettings): string {
  return settings.type === 'sqlite' ? settings.path : postgresName(settings);
}

/** Whether the database may be there. For one on a server only opening it can tell. */
export function mayBeThere(settings: StorageSettings): boolean {
  return settings.type === 'postgres' || databaseIsThere(settings.path);
}
