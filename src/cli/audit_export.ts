import { appendFileSync, closeSync, openSync, rmSync } from 'node:fs';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { nameOfDatabase, onWholeDatabase } from '../storage/open_storage.ts';
import { type EntryFilter, findNext } from '../storage/tables/audit_entries.ts';
import { entryAsJson, type FilterOptions, filterOf, limitOf, withFilterOptions } from './audit_filter.ts';
import { CommandFailed } from './failures.ts';
import { configFrom, configOption } from './options.ts';
import { requireNewestSchema } from './schema_of.ts';
import type { Surroundings } from './surroundings.ts';
import { counted } from './text.ts';

const OWNER_ONLY = 0o600;
const READ_AT_ONCE = 1000;

interface ExportOptions extends FilterOptions {
  readonly config?: string;
  readonly out?: string;
}

/** `audit export`: entries as JSON lines, the oldest first, as `audit verify --against` takes them. */
export function auditExportCommand(surroundings: Surroundings): Command {
  return withFilterOptions(new Command('export'))
    .description('print the audit as JSON lines, the oldest first')
    .option('--out <file>', 'into this file instead, which must not be there yet')
    .addOption(configOption())
    .action(async ({ config: asked, out, ...options }: ExportOptions) => {
      const config = configFrom(asked, surroundings);
      const filter = filterOf(options, surroundings.clock.now());
      const most = limitOf(options) ?? Number.MAX_SAFE_INTEGER;
      const file = out === undefined ? undefined : newFile(out);
      const write = file ? file.write : surroundings.out;
      const count = await exportEntries({ config, filter, most, write }, surroundings)
        .finally(file?.close)
        .catch((error: unknown) => {
          // Half an export would be taken for a whole one.
          if (out !== undefined) rmSync(out, { force: true });
          throw error;
        });
      if (out !== undefined) surroundings.out(`${counted(count, 'entry', 'entries')} written into ${out}.`);
    });
}

interface Export {
  readonly config: Config;
  readonly filter: EntryFilter;
  readonly most: number;
  write(...lines: readonly string[]): void;
}

async function exportEntries(
  { config, filter, most, write }: Export,
  { clock }: Surroundings,
): Promise<number> {
  const { storage } = config;
  return onWholeDatabase(storage, { access: 'read', clock }, async (database) => {
    await requireNewestSchema(database, nameOfDatabase(storage));
    let count = 0;
    for (let after = 0; count < most; ) {
      const rows = await database.write(findNext(filter, after, Math.min(READ_AT_ONCE, most - count)));
      const last = rows.at(-1);
      if (last === undefined) break;
      write(...rows.map(entryAsJson));
      after = last.number;
      count += rows.length;
    }
    return count;
  });
}

function newFile(path: string) {
  try {
    const file = openSync(path, 'wx', OWNER_ONLY);
    return {
      write: (...lines: readonly string[]) => appendFileSync(file, lines.map((line) => `${line}\n`).join('')),
      close: () => closeSync(file),
    };
  } catch (error) {
    throw new CommandFailed(`${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`);
  }
}
