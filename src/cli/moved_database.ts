import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { isOnThisMachine, typedPostgresUrl, withoutPassword } from '../config/postgres_url.ts';
import { BadValue } from '../config/values.ts';
import { copyTables } from '../storage/copied_tables.ts';
import { nameOfDatabase, onWholeDatabase, type StorageSettings } from '../storage/open_storage.ts';
import { findDatabaseIdentity } from '../storage/tables/database_identity.ts';
import type { WholeDatabase } from '../storage/whole_database.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { requireNoProcess, requireNoProcessYet } from './restore_target.ts';
import { requireNewestSchema } from './schema_of.ts';
import type { Surroundings } from './surroundings.ts';

const SQLITE = 'sqlite:';

interface Move {
  /** As they were typed. */
  readonly from: string;
  readonly to: string;
  readonly rehearse: boolean;
}

/**
 * Copies a database into another one, in one transaction: into an empty one, or over an earlier copy of the same.
 * @throws UsageError; CommandFailed while a process serves on either, or if the other holds another database
 */
export async function moveDatabase(move: Move, config: Config, { clock, out }: Surroundings): Promise<void> {
  const [from, to] = [settingsOf('--from', move.from, config), settingsOf('--to', move.to, config)];
  const [fromName, toName] = [nameOfDatabase(from), nameOfDatabase(to)];
  if (fromName === toName) throw new UsageError('--from and --to name the same database');
  const counts = await onWholeDatabase(from, { access: 'read', clock }, async (source) => {
    await requireNewestSchema(source, fromName);
    await requireNoProcess(source, fromName);
    return onWholeDatabase(to, { access: move.rehearse ? 'rehearse' : 'write', clock }, async (target) => {
      await prepareTarget(target, await idOf(source), toName);
      return copyTables(source, target);
    });
  });
  out(...[...counts].map(([table, rows]) => `${table}: ${rows} rows`));
  if (move.rehearse) out(`Nothing was written: ${toName} is as it was.`);
  else out(`Copied ${fromName} into ${toName}. Set storage to it, and start serve.`);
}

/** What is there already must be an earlier copy. */
async function prepareTarget(target: WholeDatabase, id: string, name: string): Promise<void> {
  const isEmpty = (await target.version()) === 0;
  if (!isEmpty) await requireNoProcessYet(target, name);
  await target.migrate();
  if (isEmpty || (await idOf(target)) === id) return;
  throw new CommandFailed(`${name} holds another database: name an empty one`);
}

async function idOf(database: WholeDatabase): Promise<string> {
  const [identity] = await database.write(findDatabaseIdentity());
  return identity?.id ?? '';
}

/** The database of the configuration is reached as it says there; another one by its address alone. */
function settingsOf(option: string, address: string, { storage }: Config): StorageSettings {
  if (address.startsWith(SQLITE)) return { type: 'sqlite', path: resolve(address.slice(SQLITE.length)) };
  try {
    const url = typedPostgresUrl(address);
    if (storage.type === 'postgres' && withoutPassword(storage.url) === url) return storage;
    return { type: 'postgres', url, tls: isOnThisMachine(url) ? 'disable' : 'verify-full', pool: 1 };
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`${option} ${error.message}, or sqlite:PATH`);
    throw error;
  }
}
