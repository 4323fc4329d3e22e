import type { Config } from '../config/config.ts';
import { NoDatabase, StoreUnavailable } from '../storage/errors.ts';
import { type DatabaseLook, KNOWN_SCHEMA, lookAtDatabase } from '../storage/look.ts';
import { onWholeDatabase, openStorage } from '../storage/open_storage.ts';
import { isReadable } from '../storage/sqlite/migrations/migrate.ts';
import type { Storage } from '../storage/storage.ts';
import type { Clock } from '../system/clock.ts';
import type { RandomSource } from '../system/random.ts';
import { DatabaseMarks } from '../vault/database_marks.ts';
import type { KeyRing } from '../vault/key_ring.ts';
import { readKeys } from '../vault/key_source.ts';
import { type KeyFit, keyFit, markOf } from './key_fit.ts';

/** How the database answered when it was looked at. */
export type Database =
  /** `storage` where this version can work on its schema as it is. */
  | { readonly is: 'there'; readonly look: DatabaseLook; readonly storage: Storage | undefined }
  | { readonly is: 'missing' }
  | { readonly is: 'away'; readonly why: string };

/** What several checks ask, asked once. */
export class AskedOnce {
  private readonly asked = new Map<string, Promise<unknown>>();

  has(name: string): boolean {
    return this.asked.has(name);
  }

  of<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const known = this.asked.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = ask();
    this.asked.set(name, asked);
    return asked;
  }
}

/** The database of an installation, and the keys that should open what it holds. */
export class InstalledDatabase {
  private readonly asked = new AskedOnce();

  constructor(
    private readonly deps: {
      readonly config: Config;
      readonly clock: Clock;
      readonly random: RandomSource;
    },
  ) {}

  /** @throws KeyFileError */
  keyRing(): Promise<KeyRing> {
    return this.asked.of('keys', () => readKeys(this.deps.config.keys.source));
  }

  /** @throws KeyFileError */
  async marks(): Promise<DatabaseMarks> {
    const ring = await this.keyRing();
    return new DatabaseMarks(this.deps.config.keys, () => ring);
  }

  /** How far the keys fit, also before a migration; undefined without a database. @throws KeyFileError */
  keyFit(): Promise<KeyFit | undefined> {
    return this.asked.of('key fit', async () => {
      const { config, clock, random } = this.deps;
      const ring = await this.keyRing();
      const database = await this.look();
      if (database.is !== 'there') return undefined;
      const { storage, look } = database;
      const schema = look.schema.version;
      if (storage !== undefined) return keyFit({ schema, read: storage.read }, ring, random);
      if (!isOlder(look)) return undefined;
      return onWholeDatabase(config.storage, { access: 'read', clock }, ({ write: read }) =>
        keyFit({ schema, read }, ring, random),
      );
    });
  }

  /** Which database it is; undefined without a store. @throws KeyFileError */
  async mark(): Promise<Awaited<ReturnType<typeof markOf>> | undefined> {
    const storage = await this.storage();
    return storage && markOf(storage, await this.marks());
  }

  /** The database as it is. It is opened only where nothing is to be migrated: that is for `serve` to do. */
  look(): Promise<Database> {
    return this.asked.of('database', async () => {
      try {
        const { config, clock } = this.deps;
        const look = await lookAtDatabase(config.storage, clock);
        if (isOlder(look) || !isReadable(look.schema)) return { is: 'there', look, storage: undefined };
        return {
          is: 'there',
          look,
          storage: await openStorage(config.storage, { ...this.deps, make: false }),
        };
      } catch (error) {
        return error instanceof NoDatabase ? { is: 'missing' } : { is: 'away', why: reasonOf(error) };
      }
    });
  }

  /** The open store, if there is one. */
  async storage(): Promise<Storage | undefined> {
    const database = await this.look();
    return database.is === 'there' ? database.storage : undefined;
  }

  /** The store, if any check has had it opened. */
  async opened(): Promise<Storage | undefined> {
    return this.asked.has('database') ? this.storage() : undefined;
  }

  /** Why nothing can be read from the store, for checks that have to be skipped. */
  async withoutStore(): Promise<string> {
    const database = await this.look();
    if (database.is === 'missing') return 'there is no database yet';
    if (database.is === 'away') return 'the database does not answer (see store)';
    return 'the database has another schema than this version (see schema)';
  }
}

/** Whether the database waits for a migration. */
function isOlder({ schema: { version } }: DatabaseLook): boolean {
  return version !== 0 && version < KNOWN_SCHEMA;
}

function reasonOf(error: unknown): string {
  if (error instanceof StoreUnavailable) return error.reason;
  return (error as Error).message;
}
