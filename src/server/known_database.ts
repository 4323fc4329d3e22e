import { ConfigError } from '../config/config.ts';
import { NoDatabase } from '../storage/errors.ts';
import { nameOfDatabase, type StorageSettings } from '../storage/open_storage.ts';
import type { Storage } from '../storage/storage.ts';
import { findDatabaseIdentity } from '../storage/tables/database_identity.ts';
import type { DatabaseMarks } from '../vault/database_marks.ts';

interface KnownDatabaseParts {
  readonly marks: DatabaseMarks;
  readonly acceptOther: boolean;
  /** @throws NoDatabase if it is missing and not to be made */
  open(make: boolean): Promise<Storage>;
}

/**
 * Opens the database, if it is one in which users turned 2FA on, or if no user has in any. With an empty or foreign
 * one in its place the password alone would sign in.
 *
 * @param acceptOther takes another one as well, and forgets those in which users have
 * @throws ConfigError if it is another one; KeyFileError; StoreUnavailable, CannotOpen, SchemaTooNew
 */
export async function openKnownDatabase(
  settings: StorageSettings,
  { marks, acceptOther, open }: KnownDatabaseParts,
): Promise<Storage> {
  if (!marks.any()) return open(true);
  const name = nameOfDatabase(settings);
  const storage = await open(acceptOther).catch((error: unknown) => {
    throw error instanceof NoDatabase ? refused(`${name} is not there`, marks) : error;
  });
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
