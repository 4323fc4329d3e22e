import { resolve } from 'node:path';
import type { Config } from '../config/config.ts';
import { isOnThisMachine, typedPostgresUrl, withoutPassword } from '../config/postgres_url.ts';
import { BadValue } from '../config/values.ts';
import { copyTables } from '../storage/copied_tables.ts';
import { nameOfDatabase, onWholeDatabase, type StorageSettings } from '../storage/open_storage.ts';
import { findNewest, findNext } from '../storage/tables/audit_entries.ts';
import { findDatabaseIdentity } from '../storage/tables/database_identity.ts';
import type { WholeDatabase } from '../storage/whole_database.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { requireNoProcess, requireNoProcessYet } from './restore_target.ts';
import { requireNewestSchema } from './schema_of.ts';
import type { Surroundings } from './surroundings.ts';

const SQLITE = 'sqlite:';
/** More entries than one millisecond has. */
const MOST_AT_ONCE = 10_000;

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
      await prepareTarget(target, source, toName);
      return copyTables(source, target);
    });
  });
  out(...[...counts].map(([table, rows]) => `${table}: ${rows} rows`));
  if (move.rehearse) out(`Nothing was written: ${toName} is as it was.`);
  else out(`Copied ${fromName} into ${toName}. Set storage to it, and start serve.`);
}

/** What is there already must be an earlier copy, in which nothing happened since. */
async function prepareTarget(target: WholeDatabase, source: WholeDatabase, name: string): Promise<void> {
  const isEmpty = (await target.version()) === 0;
  if (!isEmpty) await requireNoProcessYet(target, name);
  await target.migrate();
  if (isEmpty) return;
  if ((await idOf(target)) !== (await idOf(source)))
    throw new CommandFailed(`${name} holds another database: name an empty one`);
  if (await knowsAllOf(target, source)) return;
  throw new CommandFailed(`${name} was used since it was copied, and that would be lost: name an empty one`);
}

/** Whether the newest entry of a copy's audit is that of what was copied, too: all that is done puts one there. */
async function knowsAllOf(copy: WholeDatabase, source: WholeDatabase): Promise<boolean> {
  const [newest] = await copy.write(findNewest({}, 1));
  if (newest === undefined) return true;
  const { at, event, chain, n, mac } = newest;
  const alike = await source.write(findNext({ since: at, until: at + 1, events: [event] }, 0, MOST_AT_ONCE));
  return alike.some((entry) => entry.chain === chain && entry.n === n && entry.mac === mac);
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
