import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { RecoveryEndings } from '../account_recovery/endings.ts';
import { tellingBy } from '../account_recovery/telling.ts';
import type { Config } from '../config/config.ts';
import { CannotOpen, NoDatabase, SchemaTooNew, StoreUnavailable } from '../storage/errors.ts';
import type { StorageSettings } from '../storage/open_storage.ts';
import { onWholeDatabase } from '../storage/open_storage.ts';
import { MIGRATIONS } from '../storage/sqlite/migrations/migrate.ts';
import {
  copyDatabaseFile,
  nameInTheMaking,
  removeDatabaseFile,
  removeLeftOvers,
} from '../storage/sqlite/replaced_file.ts';
import { isDiskFault } from '../storage/sqlite/store_error.ts';
import { isOurSqlite } from '../storage/sqlite/whole_sqlite.ts';
import type { Driver } from '../storage/statement.ts';
import { listAllRunning } from '../storage/tables/recovery_requests.ts';
import {
  countEnrolled,
  endWhatWasUnderWay,
  findPepperKeys,
  findSealedAuthenticators,
  spendStepsUpTo,
} from '../storage/tables/restored.ts';
import type { WholeDatabase } from '../storage/whole_database.ts';
import { nameOfKeys, readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { SealBroken } from '../vault/vault.ts';
import { CommandFailed } from './failures.ts';
import { operatorAudit } from './operator_audit.ts';
import type { Surroundings } from './surroundings.ts';

/** A copy of a backup, of the newest schema, that may be served on. */
export interface PreparedCopy {
  readonly path: string;
  /** How many have 2FA on in it. */
  readonly users: number;
  /** Removes it where it was not put in its place. */
  remove(): void;
}

const OWNER_ONLY_DIRECTORY = 0o700;

/**
 * Copies a backup and makes the copy fit to be served on; the backup stays as it is.
 * @throws CommandFailed if it is not a database of this program, is too new, or the keys do not open it
 */
export async function prepareCopy(
  file: string,
  config: Config,
  surroundings: Surroundings,
): Promise<PreparedCopy> {
  const { path, remove } = placeFor(config.storage);
  try {
    copyDatabaseFile(file, path);
    const settings: StorageSettings = { type: 'sqlite', path };
    const { clock } = surroundings;
    const users = await onWholeDatabase(settings, { access: 'write', clock }, (database) =>
      makeFit(database, config, surroundings),
    );
    return { path, users, remove };
  } catch (error) {
    remove();
    throw explained(error, file, config);
  }
}

/** Beside the database, so that it can be put in its place at once; for PostgreSQL in a folder of its own. */
function placeFor(storage: StorageSettings): { path: string; remove: () => void } {
  if (storage.type === 'sqlite') {
    mkdirSync(dirname(storage.path), { recursive: true, mode: OWNER_ONLY_DIRECTORY });
    removeLeftOvers(storage.path, 'restoring');
    const path = nameInTheMaking(storage.path, 'restoring');
    return { path, remove: () => removeDatabaseFile(path) };
  }
  const folder = mkdtempSync(join(tmpdir(), 'restore-'));
  return { path: join(folder, 'copy.db'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

async function makeFit(database: WholeDatabase, config: Config, surroundings: Surroundings): Promise<number> {
  const { clock } = surroundings;
  await requireOurs(database);
  await database.migrate();
  await requireOpened(database, config, surroundings);
  const [enrolled] = await database.write(countEnrolled());
  const users = new Set((await database.write(findSealedAuthenticators())).map(({ userId }) => userId));
  const commit: Pick<Driver, 'commit'>['commit'] = (_accounts, unit) => database.write(unit);
  const audit = await operatorAudit(config, { commit }, surroundings);
  const read: Driver['read'] = (query) => database.write(query);
  const endings = new RecoveryEndings({
    storage: { commit, read },
    audit,
    telling: tellingBy(() => config.notify),
  });
  // What became of them after the backup was made is not known here: none goes on.
  const recoveries = await database.write(listAllRunning());
  await database.write([
    ...endWhatWasUnderWay(),
    spendStepsUpTo(Math.floor(clock.now() / config.totp.periodMs)),
    ...recoveries.map((request) => endings.cancelling(request, { by: 'restore' })),
    ...[...users].map((userId) => audit.recorded({ userId, event: 'operator.restore' })),
  ]);
  return enrolled?.count ?? 0;
}

async function requireOurs(database: WholeDatabase): Promise<void> {
  if (!(await isOurSqlite(database))) throw new NotOurs();
  const version = await database.version();
  if (version > MIGRATIONS.length) throw new SchemaTooNew(version, MIGRATIONS.length);
}

class NotOurs extends Error {}
class KeysDoNotFit extends Error {}

/** @throws KeysDoNotFit */
async function requireOpened(
  database: WholeDatabase,
  { keys }: Config,
  { random }: Surroundings,
): Promise<void> {
  const ring = await readKeys(keys.source);
  const vault = new SealingVault(ring, random);
  for (const { id, userId, sealedSeed } of await database.write(findSealedAuthenticators())) {
    try {
      vault.open(sealedSeed, `authenticator:${id}:${userId}`);
    } catch (error) {
      throw error instanceof SealBroken ? new KeysDoNotFit() : error;
    }
  }
  const peppers = await database.write(findPepperKeys());
  if (peppers.some(({ keyId }) => !ring.keys.some(({ id }) => id === keyId))) throw new KeysDoNotFit();
}

function explained(error: unknown, file: string, { keys }: Config): unknown {
  const cause = error instanceof StoreUnavailable ? error.cause : error;
  if (isDiskFault(cause)) {
    const { message } = cause as Error;
    return new CommandFailed(`${file} could not be copied, perhaps for lack of room: ${message}`);
  }
  if ([NotOurs, CannotOpen, NoDatabase, StoreUnavailable].some((kind) => error instanceof kind))
    return new CommandFailed(`${file} is not a whole database of this program: name a file that backup made`);
  if (error instanceof KeysDoNotFit)
    return new CommandFailed(
      `the keys in ${nameOfKeys(keys.source)} do not open ${file}: use the keys of its time`,
    );
  if (error instanceof SchemaTooNew) return new CommandFailed(`${file}: ${error.message}`);
  return error;
}
