import { closeSync, openSync, readSync } from 'node:fs';
import { Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import { factorSettings } from '../factors/list.ts';
import { ImportFileError } from '../rescue/import/entry.ts';
import {
  type ImportOrder,
  type ImportReport,
  importAuthenticators,
} from '../rescue/import/import_authenticators.ts';
import type { Remark } from '../rescue/import/judge.ts';
import { IMPORT_FORMATS, type ImportFormat, LONGEST_IMPORT_BYTES } from '../rescue/import/read_import.ts';
import type { Storage } from '../storage/storage.ts';
import { type Log, silentLog } from '../system/log.ts';
import { DatabaseMarks } from '../vault/database_marks.ts';
import { readKeys } from '../vault/key_source.ts';
import { MarkKeeper } from '../vault/mark_keeper.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { CommandFailed, FAILED, ReportPrinted, UsageError } from './failures.ts';
import { operatorAudit } from './operator_audit.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted, jsonLines } from './text.ts';

interface ImportOptions {
  readonly config?: string;
  readonly from: ImportFormat;
  readonly serverName?: string;
  readonly dryRun?: true;
  readonly skipExisting?: true;
  readonly skipUnusable?: true;
  /** False: owners and operators are not told. */
  readonly notices: boolean;
  readonly json?: true;
}

/** `user import`: authenticators of another program go on here; their owners need not set up anything. */
export function userImportCommand(surroundings: Surroundings): Command {
  return new Command('import')
    .description('take over the authenticator apps of another program: all users of a file, or none')
    .argument('<file>', 'what that program has exported')
    .addOption(
      new Option('--from <format>', 'who wrote the file').choices(IMPORT_FORMATS).makeOptionMandatory(),
    )
    .option('--server-name <name>', 'what stands behind the colon of user ids, for names without it')
    .option('--dry-run', 'look at the file and write nothing')
    .option('--skip-existing', 'leave out users who have two-factor authentication on')
    .option('--skip-unusable', 'leave out what cannot be used here')
    .option('--no-notices', 'tell neither the owners nor the webhook')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nThe file holds the secrets of its users: remove it afterwards.')
    .action((file: string, options: ImportOptions) => importFile(file, options, surroundings));
}

async function importFile(file: string, options: ImportOptions, surroundings: Surroundings): Promise<void> {
  requireServerName(options.serverName);
  const config = configFrom(options.config, surroundings);
  const order: ImportOrder = {
    format: options.from,
    bytes: readBounded(file),
    serverName: options.serverName,
    dryRun: options.dryRun === true,
    skipExisting: options.skipExisting === true,
    skipUnusable: options.skipUnusable === true,
  };
  const report = await withStore(config, surroundings, (storage) =>
    carryOut(file, order, { config, storage, surroundings, notices: options.notices }),
  );
  if (options.json === true) surroundings.out(...jsonLines(report));
  else print(report, order, surroundings);
  if (report.errors.length > 0) throw new ReportPrinted(FAILED);
}

function requireServerName(name: string | undefined): void {
  if (name === undefined || (URL.canParse(`https://${name}/`) && !/[/?#@\s]/.test(name))) return;
  throw new UsageError(`--server-name ${name} is not a server name, as in example.org`);
}

/**
 * Up to one byte more than may be read; a pipe will do, so that the secrets need not lie on a disk.
 * @throws CommandFailed
 */
function readBounded(file: string): Buffer {
  const bytes = Buffer.alloc(LONGEST_IMPORT_BYTES + 1);
  try {
    const opened = openSync(file, 'r');
    try {
      let length = 0;
      for (let read = -1; read !== 0 && length < bytes.length; length += read)
        read = readSync(opened, bytes, length, bytes.length - length, null);
      return bytes.subarray(0, length);
    } finally {
      closeSync(opened);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailed(`${file}: cannot be read: ${code ?? 'unknown'}`);
  }
}

interface Place {
  readonly config: Config;
  readonly storage: Storage;
  readonly surroundings: Surroundings;
  readonly notices: boolean;
}

async function carryOut(
  file: string,
  order: ImportOrder,
  { config, storage, surroundings, notices }: Place,
): Promise<ImportReport> {
  const { clock, random } = surroundings;
  const ring = await readKeys(config.keys.source);
  const vault = new SealingVault(ring, random, { clock });
  const { totp } = factorSettings(config);
  const audit = await operatorAudit(config, storage, surroundings, notices);
  try {
    const deps = { storage, audit, vault, random, totp, machineClock: clock };
    const report = await importAuthenticators(order, deps);
    const marks = new DatabaseMarks(config.keys, () => ring);
    await new MarkKeeper(storage, marks, noteOn(surroundings)).keep();
    return report;
  } catch (error) {
    if (error instanceof ImportFileError) throw new CommandFailed(`${file}: ${error.message}`);
    throw error;
  }
}

/** A running `serve` makes up for a mark that could not be written. */
function noteOn({ err }: Surroundings): Log {
  return { ...silentLog, error: (_fields, text) => err(`note: ${text}`) };
}

function print(
  { imported, skipped, errors }: ImportReport,
  order: ImportOrder,
  surroundings: Surroundings,
): void {
  surroundings.out(...skipped.map((remark) => `skipped: ${asLine(remark)}`));
  surroundings.err(...errors.map((remark) => `matrix-2fa-proxy: ${asLine(remark)}`));
  if (errors.length > 0) {
    surroundings.err('matrix-2fa-proxy: nothing was imported');
    return;
  }
  const done = order.dryRun ? 'would be imported' : 'imported';
  surroundings.out(`${counted(imported, 'user')} ${done}, ${skipped.length} left out.`);
}

function asLine({ place, user, why }: Remark): string {
  return user === '' ? `${place}: ${why}` : `${place} (${user}): ${why}`;
}
