import type { Clock } from '../system/clock.ts';
import type { StorageSettings } from './open_storage.ts';
import type { PostgresLook } from './postgres/look.ts';
import { lookAtSqlite } from './sqlite/look.ts';
import { MIGRATIONS } from './sqlite/migrations/migrate.ts';

/** What can be seen of a database without changing anything in it. */
export type DatabaseLook = PostgresLook;

/** The schema version that this program brings a database to. */
export const KNOWN_SCHEMA = MIGRATIONS.length;

/**
 * Looks at the database as it is: no table is made or changed in it.
 * @throws NoDatabase, CannotOpen, StoreUnavailable, or what PostgreSQL says where it refuses
 */
export async function lookAtDatabase(settings: StorageSettings, clock: Clock): Promise<DatabaseLook> {
  if (settings.type === 'postgres') {
    const { lookAtPostgres } = await import('./postgres/look.ts');
    return lookAtPostgres(settings, clock);
  }
  return { schema: lookAtSqlite(settings.path), unsafe: [], clock: undefined };
}
