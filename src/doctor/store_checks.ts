import { SchemaTooNew, SchemaTooOld, StoreUnavailable } from '../storage/errors.ts';
import { type DatabaseLook, KNOWN_SCHEMA } from '../storage/look.ts';
import { nameOfDatabase, type StorageSettings } from '../storage/open_storage.ts';
import { isReadable } from '../storage/sqlite/migrations/migrate.ts';
import { type LiveProcess, listProcesses } from '../storage/tables/processes.ts';
import { KeyFileError } from '../vault/key_file_error.ts';
import { type KeySource, nameOfKeys } from '../vault/key_source.ts';
import { type Finding, fail, type InsideCheck, listed, ok, skipped, warn } from './check.ts';
import type { Installation } from './installation.ts';
import type { InstalledDatabase } from './installed_database.ts';
import { doFit, type KeyFit } from './key_fit.ts';

export const storeCheck: InsideCheck = {
  id: 'store',
  about: 'the database is there, takes writes, and loses nothing that it confirmed',
  outside: false,
  run: async (installation) => {
    const name = nameOfDatabase(installation.config.storage);
    const tried = [`opened ${name}`];
    const database = await installation.database.look();
    if (database.is === 'missing') return missing(installation, name, tried);
    if (database.is === 'away') {
      const found = database.why.startsWith(name) ? database.why : `${name}: ${database.why}`;
      return fail(tried, found, 'see `storage` in docs/configure.md');
    }
    const { unsafe } = database.look;
    if (unsafe.length > 0) {
      return fail(
        [...tried, 'asked for fsync and synchronous_commit'],
        `${unsafe.join(' and ')} ${unsafe.length === 1 ? 'is' : 'are'} off: after a crash a spent code would count again`,
        `set ${unsafe.map((setting) => `${setting} = on`).join(', ')} in postgresql.conf, and for the role and the database`,
      );
    }
    const broken = await whyNotWritable(installation);
    if (broken !== undefined)
      return fail(
        [...tried, 'wrote to it'],
        `${name} cannot be written: ${broken}`,
        'give the user that runs serve the right to write, and disk space',
      );
    return ok(tried, `${name} answers`);
  },
};

async function missing(installation: Installation, name: string, tried: readonly string[]): Promise<Finding> {
  if (await hasMarks(installation)) {
    return fail(
      tried,
      `${name} is not there, and users have turned two-factor authentication on`,
      'restore it, or correct `storage` in the configuration',
    );
  }
  return warn(tried, `${name}: there is no database; serve makes it`, 'start serve');
}

async function hasMarks(installation: Installation): Promise<boolean> {
  try {
    return (await installation.database.marks()).any();
  } catch (error) {
    if (error instanceof KeyFileError) return false;
    throw error;
  }
}

async function whyNotWritable(installation: Installation): Promise<string | undefined> {
  const storage = await installation.database.storage();
  try {
    await storage?.check();
    return undefined;
  } catch (error) {
    return error instanceof StoreUnavailable ? error.reason : String(error);
  }
}

export const schemaCheck: InsideCheck = {
  id: 'schema',
  about: 'the database is of a version that this program knows',
  outside: false,
  run: async (installation) => {
    const database = await installation.database.look();
    if (database.is !== 'there') return skipped(await installation.database.withoutStore());
    return judgeSchema(database.look.schema, installation.config.storage);
  },
};

function judgeSchema(schema: DatabaseLook['schema'], storage: StorageSettings): Finding {
  const { version } = schema;
  const tried = ['read its schema version'];
  if (!isReadable(schema)) {
    const { message } = new SchemaTooNew(version, KNOWN_SCHEMA);
    return fail(tried, `it is ${version}, and this version knows up to ${KNOWN_SCHEMA}`, message);
  }
  if (version > KNOWN_SCHEMA)
    return ok(tried, `it is ${version}, of a newer version that runs beside this one`);
  if (version === KNOWN_SCHEMA) return ok(tried, `it is ${version}, as it should`);
  if (storage.migrate === 'never') {
    const { message } = new SchemaTooOld(nameOfDatabase(storage), version, KNOWN_SCHEMA);
    return fail(tried, message, 'run matrix-2fa-proxy migrate (docs/upgrade.md)');
  }
  return ok(tried, `it is ${version}; serve brings it to ${KNOWN_SCHEMA} at its start`);
}

export const keysCheck: InsideCheck = {
  id: 'keys',
  about: 'the keys open all that the database holds',
  outside: false,
  run: async (installation) => {
    const name = nameOfKeys(installation.config.keys.source);
    const tried = [
      `read ${name}`,
      'opened every authenticator',
      'looked for the keys of recovery codes, and of all that is sealed',
    ];
    try {
      const fit = await installation.database.keyFit();
      if (fit === undefined)
        return skipped(`${name} can be read; ${await installation.database.withoutStore()}`);
      if (doFit(fit)) return ok(tried, `${name} opens all of it`);
      return fail(
        tried,
        `${misfitInWords(fit)}: ${name} does not hold all keys of this database`,
        'restore the keys that belong to the database',
      );
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      if (error.problem === 'permissions') return skipped(`${name} is not read (see files)`);
      return fail(tried, error.message, howToRead(installation.config.keys.source));
    }
  },
};

/** systemd hands a credential to the service alone. */
function howToRead(source: KeySource): string {
  if (!('credential' in source)) return 'restore the keys from their copy';
  return source.folder === undefined
    ? 'run doctor with CREDENTIALS_DIRECTORY set to the folder of the key file (LoadCredential= names it)'
    : 'restore the keys from their copy, or correct LoadCredential=';
}

function misfitInWords({ opened, closed, missing, lost }: KeyFit): string {
  return [
    ...(closed > 0 ? [`${closed} of ${opened + closed} authenticators do not open`] : []),
    ...(missing.length > 0 ? [`recovery codes need keys that are not there (${listed(missing)})`] : []),
    ...(lost > 0 ? [`${lost} values of all kinds are sealed under keys that are not there`] : []),
  ].join('; ');
}

export const markCheck: InsideCheck = {
  id: 'mark',
  about: 'it is the database in which users turned two-factor authentication on',
  outside: false,
  run: async (installation) => {
    try {
      const fit = await installation.database.keyFit();
      const hasStore = (await installation.database.storage()) !== undefined;
      if (fit === undefined || !hasStore) return skipped(await installation.database.withoutStore());
      if (!doFit(fit)) return skipped('other keys do not know the mark (see keys)');
      return judgeMark(await installation.database.mark(), (await installation.database.marks()).file);
    } catch (error) {
      if (error instanceof KeyFileError) return skipped('keys or marks cannot be read (see keys and files)');
      throw error;
    }
  },
};

function judgeMark(mark: Awaited<ReturnType<InstalledDatabase['mark']>>, file: string): Finding {
  const tried = ["read the database's id", `looked for its mark in ${file}`];
  switch (mark) {
    case 'marked':
      return ok(tried, 'it is the marked one');
    case 'nothing_to_mark':
    case undefined:
      return ok(tried, 'no user has turned it on yet');
    case 'not_marked_yet':
      return notMarkedYet(tried, file);
    case 'foreign':
      return fail(
        tried,
        `it is not the database in which users turned two-factor authentication on, as ${file} remembers`,
        'restore that one, or correct `storage` in the configuration',
      );
  }
}

function notMarkedYet(tried: readonly string[], file: string): Finding {
  return warn(
    tried,
    `users have turned two-factor authentication on, and ${file} does not remember this database`,
    'start serve, which writes it; where the file is read-only, set keys.marks',
  );
}

export const processesCheck: InsideCheck = {
  id: 'processes',
  about: 'all processes on the database have the same version, keys and settings',
  outside: false,
  run: async (installation) => {
    const storage = await installation.database.storage();
    if (storage === undefined) return skipped(await installation.database.withoutStore());
    const processes = await storage.read(listProcesses());
    if (processes.length === 0) return skipped('no serve runs on this database');
    return judgeProcesses(processes);
  },
};

/** Settings can be compared only between processes of one version. */
export function judgeProcesses(processes: readonly LiveProcess[]): Finding {
  const tried = processes.map(({ host, id }) => `read the row of ${id} on ${host}`);
  const versions = valuesOf(processes, ({ version }) => version);
  if (valuesOf(processes, ({ keyIds }) => keyIds).length > 1) {
    return fail(
      tried,
      `they have different keys: ${listed(processes.map(({ host, keyIds }) => `${host} has ${keyIds}`))}`,
      'give all of them the same key file',
    );
  }
  const settings = valuesOf(processes, ({ version, settingsDigest }) => `${version} ${settingsDigest}`);
  if (settings.length > versions.length) {
    return fail(
      tried,
      `their settings differ: ${listed(processes.map(({ host, settingsDigest }) => `${host} has ${settingsDigest}`))}`,
      'give all of them the same configuration, and restart those that run with an older one',
    );
  }
  if (versions.length === 1) return ok(tried, `${processes.length} with the same version, keys and settings`);
  return warn(
    tried,
    `they are of different versions: ${listed(versions)}`,
    'finish the upgrade (docs/upgrade.md)',
  );
}

function valuesOf(processes: readonly LiveProcess[], read: (process: LiveProcess) => string): string[] {
  return [...new Set(processes.map(read))];
}
