import { Command } from 'commander';
import { NoDatabase } from '../storage/errors.ts';
import { backupSqlite } from '../storage/sqlite/backup.ts';
import { databaseIsThere } from '../storage/sqlite/database_file.ts';
import { CommandFailed } from './failures.ts';
import { configFrom, configOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';

/** `backup`: a copy of the database at one moment, also while `serve` runs. */
export function backupCommand(surroundings: Surroundings): Command {
  return new Command('backup')
    .description('copy the database into a new file, also while it is in use')
    .argument('<file>', 'the copy; must not be there yet')
    .addOption(configOption())
    .action(async (file: string, { config: asked }: { config?: string }) => {
      const { storage } = configFrom(asked, surroundings);
      if (storage.type !== 'sqlite') {
        throw new CommandFailed('a PostgreSQL database is backed up by pg_dump');
      }
      const { path } = storage;
      if (!databaseIsThere(path)) throw new NoDatabase(path);
      try {
        await backupSqlite(path, file);
      } catch (error) {
        throw new CommandFailed(`${path} could not be copied into ${file}: ${(error as Error).message}`);
      }
      surroundings.out(
        `Copied ${path} into ${file}. The key file is not in it: keep a copy of that elsewhere.`,
      );
    });
}
