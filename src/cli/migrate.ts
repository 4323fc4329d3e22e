import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { nameOfDatabase, onWholeDatabase } from '../storage/open_storage.ts';
import { UsageError } from './failures.ts';
import { moveDatabase } from './moved_database.ts';
import { configFrom, configOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';

interface MigrateOptions {
  readonly config?: string;
  readonly dryRun?: true;
  readonly from?: string;
  readonly to?: string;
}

/** `migrate`: brings the database up to date, or copies one into another. */
export function migrateCommand(surroundings: Surroundings): Command {
  return new Command('migrate')
    .description('bring the database up to date; with --from and --to copy one into another')
    .option('--dry-run', 'do everything, and take it back')
    .option('--from <database>', 'sqlite:PATH or postgres://…')
    .option('--to <database>', 'likewise: a new one, or a copy that was made before')
    .addOption(configOption())
    .action(({ config: asked, from, to, dryRun }: MigrateOptions) => {
      const config = configFrom(asked, surroundings);
      const rehearse = dryRun === true;
      if (from === undefined && to === undefined) return bringUpToDate(config, rehearse, surroundings);
      if (from === undefined || to === undefined) throw new UsageError('--from and --to belong together');
      return moveDatabase({ from, to, rehearse }, config, surroundings);
    });
}

async function bringUpToDate({ storage }: Config, rehearse: boolean, { clock, out }: Surroundings) {
  const access = rehearse ? 'rehearse' : 'write';
  const [before, after] = await onWholeDatabase(storage, { access, clock }, async (database) => {
    const found = await database.version();
    await database.migrate();
    return [found, await database.version()];
  });
  const name = nameOfDatabase(storage);
  if (before === after) out(`${name} is up to date: schema version ${after}.`);
  else if (rehearse) out(`${name} would go from schema version ${before} to ${after}; nothing was changed.`);
  else out(`${name} went from schema version ${before} to ${after}.`);
}
