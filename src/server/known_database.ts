import { ConfigError } from '../config/config.ts';
import { mayBeThere, nameOfDatabase, type StorageSettings } from '../storage/open_storage.ts';
import type { Storage } from '../storage/stores.ts';
import { findDatabaseIdentity } from '../storage/tables/database_identity.ts';
import type { DatabaseMarks } from '../vault/database_marks.ts';

export interface KnownDatabaseParts {
  readonly marks: DatabaseMarks;
  readonly acceptOther: boolean;
  open(): Promise<Storage>;
}

/**
 * Opens the database, if it is one in which users turned 2FA on, or if no user has in any. With an empty or foreign
 * one in its place the password alone would sign in.
 *
 * @param open makes the database where it is missing
 * @param acceptOther takes another one as well, and forgets those in which users have
 * @throws ConfigError if it is another one; KeyFileError; StoreUnavailable, SchemaTooNew
 */
export async function openKnownDatabase(
  settings: StorageSettings,
  { marks, acceptOther, open }: KnownDatabaseParts,
): Promise<Storage> {
  if (!marks.any()) return open();
  const name = nameOfDatabase(settings);
  if (!acceptOther && !mayBeThere(settings)) throw refused(`${name} is not there`, marks);
  const storage = await open();
  try {
    const [identity] = await storage.read(findDatabaseIdentity());
    const known = identity !== undefined && identity.firstEnrolledAt !== null && marks.has(identity.id);
    if (!known && !acceptOther) throw refused(`${name} is not the database`, marks);
    if (!known) marks.clear();
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

function refused(what: string, marks: DatabaseMarks): ConfigError {
  return new ConfigError(
    `${what} in which users have turned two-factor authentication on, as ${marks.file} remembers: restore it or ` +
      'correct `storage`; with --accept-empty-database serve goes on, and the password alone signs everybody in',
  );
}
