import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Database, Statement } from 'better-sqlite3';
import { CannotOpen, NoDatabase, StoreUnavailable } from '../errors.ts';
import { QUOTED_OR_NAME, type Value, type Values } from '../statement.ts';
import { databaseIsThere } from './database_file.ts';
import { migrate, requireNewest, schemaVersion } from './migrations/migrate.ts';
import { OpenFiles } from './open_files.ts';
import { requireUsablePlace } from './place.ts';
import { openDatabase } from './sqlite_library.ts';
import { asStoreError, finalComplaint } from './store_error.ts';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;
const IN_MEMORY = ':memory:';

/** How long opening blocks while another process opens or migrates the same file, in ms. */
const BUSY_TIMEOUT_AT_START_MS = 5000;
/**
 * How long a call blocks while another process writes, in ms. Short, because it blocks the whole process:
 * `GroupCommit` tries again, without blocking, for much longer.
 */
const BUSY_TIMEOUT_MS = 20;

/** Values are bound by place: looking names up, as the library does each time, takes longer than most statements. */
interface Prepared {
  readonly statement: Statement;
  readonly names: readonly string[];
}

/** One connection to the database file, with its prepared statements. All calls are synchronous. */
export class Connection {
  readonly #database: Database;
  /** None in memory. */
  readonly #files: OpenFiles | undefined;
  /** Whether the files were found in this turn of the event loop. */
  #foundInTurn = false;
  readonly #prepared = new Map<string, Prepared>();

  private constructor(database: Database, path: string) {
    this.#database = database;
    this.#files = path === IN_MEMORY ? undefined : new OpenFiles(path);
  }

  /**
   * Opens the database and migrates it.
   * @param make - whether file and directory are made where they are missing.
   * @param mayMigrate - whether an older one is brought up to date.
   * @throws {StoreUnavailable} it cannot be opened now.
   * @throws {CannotOpen} it cannot be opened, now or later.
   * @throws {NoDatabase} it is missing, and not to be made.
   * @throws {SchemaTooOld} it is of an older one, and must not be migrated.
   * @throws {SchemaTooNew} it is of a newer version of this program.
   */
  static open(
    path: string,
    { make = true, mayMigrate = true }: { readonly make?: boolean; readonly mayMigrate?: boolean } = {},
  ): Connection {
    return Connection.opened(path, { make, readonly: false }, (database) => {
      if (!mayMigrate) requireNewest(schemaVersion(database), path);
      configure(database);
      migrate(database);
      database.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    });
  }

  /**
   * Opens the database without migrating it: to read one that is there, or to write one, which is made where it is
   * missing. Throws as `open` does.
   */
  static openAsItIs(path: string, { readonly }: { readonly readonly: boolean }): Connection {
    return Connection.opened(path, { make: !readonly, readonly }, (database) => {
      if (!readonly) configure(database);
    });
  }

  private static opened(
    path: string,
    { make, readonly }: { readonly make: boolean; readonly readonly: boolean },
    begin: (database: Database) => void,
  ): Connection {
    try {
      if (path !== IN_MEMORY) prepareFile(path, make);
      const database = openDatabase(path, { timeout: BUSY_TIMEOUT_AT_START_MS, readonly });
      try {
        requireOurs(database, path, make);
        begin(database);
        return new Connection(database, path);
      } catch (error) {
        database.close();
        throw error;
      }
    } catch (error) {
      const complaint = finalComplaint(error);
      throw complaint === undefined ? asStoreError(error) : new CannotOpen(path, complaint, error);
    }
  }

  get schemaVersion(): number {
    return schemaVersion(this.#database);
  }

  /** Brings the schema to the newest version. @throws {SchemaTooNew} */
  migrate(): void {
    migrate(this.#database);
  }

  /** Runs a write without an answer; returns how many rows it changed. @param now what `:now` is */
  run(sql: string, values: Values = {}, now?: number): number {
    const { statement, names } = this.#prepare(sql);
    return statement.run(valuesOf(names, values, now)).changes;
  }

  /** The first row of the answer. */
  get<Row>(sql: string, values: Values = {}, now?: number): Row | undefined {
    const { statement, names } = this.#prepare(sql);
    return statement.get(valuesOf(names, values, now)) as Row | undefined;
  }

  all<Row>(sql: string, values: Values = {}, now?: number): Row[] {
    const { statement, names } = this.#prepare(sql);
    return statement.all(valuesOf(names, values, now)) as Row[];
  }

  /** Runs a statement that decides: its first row (empty without RETURNING) if it changed one, else undefined. */
  decide(sql: string, values: Values, now?: number): object | undefined {
    if (this.#prepare(sql).statement.reader) return this.get<object>(sql, values, now);
    return this.run(sql, values, now) > 0 ? {} : undefined;
  }

  /**
   * Reads at once. Writes begin and commit without a pause in between (`GroupCommit`), so that no read sees what
   * is not committed. Reads that follow each other in one turn of the event loop look for the files once.
   * @throws {StoreUnavailable}
   */
  async read<T>(work: (connection: Connection) => T): Promise<T> {
    try {
      this.#assertPresentInTurn();
      if (this.inTransaction) throw new StoreUnavailable(new Error('a transaction could not be undone'));
      return work(this);
    } catch (error) {
      throw asStoreError(error);
    }
  }

  get inTransaction(): boolean {
    return this.#database.inTransaction;
  }

  /** @throws {StoreUnavailable} it is closed, or its files are not those that were opened. */
  assertPresent(): void {
    if (!this.#database.open) throw new StoreUnavailable(new Error('the store is closed'));
    this.#files?.assertPresent();
  }

  #assertPresentInTurn(): void {
    if (this.#foundInTurn && this.#database.open) return;
    this.assertPresent();
    this.#foundInTurn = true;
    setImmediate(() => {
      this.#foundInTurn = false;
    });
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const names: string[] = [];
    const placed = sql.replace(QUOTED_OR_NAME, (found: string, name: string | undefined) => {
      if (name === undefined) return found;
      names.push(name);
      return '?';
    });
    const prepared = { statement: this.#database.prepare(placed), names };
    this.#prepared.set(sql, prepared);
    return prepared;
  }
}

function prepareFile(path: string, make: boolean): void {
  requireUsablePlace(path);
  if (!make && !databaseIsThere(path)) throw new NoDatabase(path);
  createWhereMissing(path);
}

/** Our first migration made it, and no later one takes it away. */
const A_TABLE_OF_OURS = 'authenticators';

/** What another program keeps in its file is left as it is: our tables do not belong there. */
function requireOurs(database: Database, path: string, make: boolean): void {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  if (tables.length === 0 && !make) throw new NoDatabase(path);
  if (tables.length > 0 && !tables.includes(A_TABLE_OF_OURS)) {
    throw new CannotOpen(path, 'it is the database of another program');
  }
}

function valuesOf(names: readonly string[], values: Values, now: number | undefined): (Value | undefined)[] {
  return names.map((name) => (name === 'now' && now !== undefined ? now : values[name]));
}

/**
 * SQLite gives its side files (-wal, -shm) the rights of the database file. A file that is there is not opened:
 * closing it would give up the locks of another connection of this process (POSIX advisory locks).
 */
function createWhereMissing(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_DIRECTORY });
  if (!existsSync(path)) closeSync(openSync(path, 'a', OWNER_ONLY));
}

function configure(database: Database): void {
  database.pragma('journal_mode = WAL');
  // A commit is on disk when it returns: a spent code stays spent after a power failure.
  database.pragma('synchronous = FULL');
  database.pragma('foreign_keys = ON');
  // What a savepoint needs to undo a statement goes into memory, not into a file that is made and removed each time.
  database.pragma('temp_store = MEMORY');
}
