/** The store cannot answer: gone, locked, read-only or full. Gated routes answer 503. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super('the store is unavailable', { cause });
    this.name = 'StoreUnavailable';
  }

  /** Why, in a few words, for the log: `connect ECONNREFUSED 127.0.0.1:5432`. */
  get reason(): string {
    const { message = '', code } = this.cause as { message?: string; code?: unknown };
    return message === '' ? String(code) : message;
  }
}

/** What became of a unit whose commit was not answered. */
export type UnitOutcome = 'written' | 'not_written' | 'open';

/** The connection was lost after a commit was asked for: the unit may be written, or not. */
export class CommitUnanswered extends StoreUnavailable {
  /**
   * @param outcome asks the store what became of it
   * @throws StoreUnavailable while the store is away
   */
  constructor(
    cause: unknown,
    readonly outcome: () => Promise<UnitOutcome>,
  ) {
    super(cause);
    this.name = 'CommitUnanswered';
  }
}

/** The database cannot be opened, and waiting does not help: the message says which one, and why. */
export class CannotOpen extends Error {
  /** @param name the database's for people: without a password */
  constructor(name: string, why: string, cause?: unknown) {
    super(`${name}: cannot be opened: ${why}`, { cause });
    this.name = 'CannotOpen';
  }
}

/** There is no database, and the one who asked must not make it. */
export class NoDatabase extends Error {
  constructor(name: string) {
    super(`${name}: there is no database; serve makes it`);
    this.name = 'NoDatabase';
  }
}

/** The database was written by a newer version of this program: it is left untouched (attack 96). */
export class SchemaTooNew extends Error {
  readonly found: number;
  readonly known: number;

  constructor(found: number, known: number) {
    super(
      `the database has schema version ${found}, but this version of the program knows only up to ${known}: ` +
        'run the newer version again, or restore a backup made before the upgrade',
    );
    this.name = 'SchemaTooNew';
    this.found = found;
    this.known = known;
  }
}

/** The database is of an older version, and `storage.migrate` lets only the command `migrate` change that. */
export class SchemaTooOld extends Error {
  constructor(name: string, found: number, newest: number) {
    super(
      `${name} has schema version ${found}, and this program ${newest}: run migrate, as storage.migrate is never`,
    );
    this.name = 'SchemaTooOld';
  }
}
