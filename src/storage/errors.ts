/** The store cannot answer: gone, locked, read-only or full. Gated routes answer 503. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super('the store is unavailable', { cause });
    this.name = 'StoreUnavailable';
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
