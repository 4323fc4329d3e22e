import { NoDatabase, SchemaTooNew } from '../storage/errors.ts';
import { MIGRATIONS } from '../storage/sqlite/migrations/migrate.ts';
import type { WholeDatabase } from '../storage/whole_database.ts';
import { CommandFailed } from './failures.ts';

/**
 * What is only read is not migrated: it must be of the newest schema.
 * @throws CommandFailed if it is older; NoDatabase, SchemaTooNew
 */
export async function requireNewestSchema(database: WholeDatabase, name: string): Promise<void> {
  const version = await database.version();
  const newest = MIGRATIONS.length;
  if (version > newest) throw new SchemaTooNew(version, newest);
  if (version === 0) throw new NoDatabase(name);
  if (version < newest) {
    throw new CommandFailed(
      `${name} has schema version ${version}, and this program ${newest}: run migrate first`,
    );
  }
}
