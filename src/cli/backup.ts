import { Command } from 'commander';
import { copyTables } from '../storage/copied_tables.ts';
import { NoDatabase } from '../storage/errors.ts';
import { nameOfDatabase, onWholeDatabase, type StorageSettings } from '../storage/open_storage.ts';
import { backupSqlite, makeWhole } from '../storage/sqlite/backup.ts';
import { databaseIsThere } from '../storage/sqlite/database_file.ts';
import { CommandFailed } from './failures.ts';
import { configFrom, configOption } from './options.ts';
import { requireNewestSchema } from './schema_of.ts';
import type { Surroundings } from './surroundings.ts';

/** `backup`: a copy of the database at one moment, also while `serve` runs. It is an SQLite file, always. */
export function backupCommand(surroundings: Surroundings): Command {
  return new Command('backup')
    .description('copy the database into a new SQLite file, also while it is in use')
    .argument('<file>', 'the copy; must not be there yet')
    .addOption(configOption())
    .action(async (file: string, { config: asked }: { config?: string }) => {
      const { storage } = configFrom(asked, surroundings);
      const name = nameOfDatabase(storage);
      if (storage.type === 'sqlite' && !databaseIsThere(storage.path)) throw new NoDatabase(name);
      try {
        if (storage.type === 'sqlite') await backupSqlite(storage.path, file);
        else await backupPostgres(storage, file, surroundings);
      } catch (error) {
        if (error instanceof NoDatabase) throw error;
        throw new CommandFailed(`${name} could not be copied into ${file}: ${reasonOf(error)}`);
      }
      surroundings.out(
        `Copied ${name} into ${file}. The key file is not in it: keep a copy of that elsewhere.`,
      );
    });
}

function backupPostgres(storage: StorageSettings, target: string, { clock }: Surroundings): Promise<void> {
  return makeWhole(target, (file) =>
    onWholeDatabase(storage, { access: 'read', clock }, async (from) => {
      await requireNewestSchema(from, nameOfDatabase(storage));
      await onWholeDatabase({ type: 'sqlite', path: file }, { access: 'write', clock }, async (to) => {
        await to.migrate();
        await copyTables(from, to);
      });
    }),
  );
}

/** With what lies behind a store that is away. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
