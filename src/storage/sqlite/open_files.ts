import { statSync } from 'node:fs';
import { StoreUnavailable } from '../errors.ts';

/** The files of a database as they were when it was opened. */
export class OpenFiles {
  readonly #path: string;
  readonly #files: readonly { readonly path: string; readonly identity: string | undefined }[];
  /** How long the database file was at the last look: it only grows while it is open. */
  #size: number;

  constructor(path: string) {
    this.#path = path;
    this.#files = filesOf(path).map((file) => ({ path: file, identity: fileAt(file)?.identity }));
    this.#size = fileAt(path)?.size ?? 0;
  }

  /**
   * SQLite goes on writing into files that were removed or replaced, and everything would be lost: if one of them
   * cannot be found again at its path, or the database was cut, it is refused (attacks 91 and 167). When the files
   * are back, so is the store.
   * @throws {StoreUnavailable}
   */
  assertPresent(): void {
    for (const { path, identity } of this.#files) {
      const file = fileAt(path);
      if (file?.identity !== identity)
        throw new StoreUnavailable(new Error(`${path} is no longer the file that was opened`));
      if (path === this.#path) this.#assertNotCut(file?.size ?? 0);
    }
  }

  #assertNotCut(size: number): void {
    if (size < this.#size) throw new StoreUnavailable(new Error(`${this.#path} is shorter than it was`));
    this.#size = size;
  }
}

/**
 * The database, and the files beside it that SQLite keeps as long as it is open. Commits stand in `-wal` until they
 * are copied into the database (https://www.sqlite.org/wal.html): without it a restart would lose them.
 */
function filesOf(path: string): string[] {
  return [path, `${path}-wal`, `${path}-shm`];
}

/** What tells the file at `path` from every other one, and its size; undefined if there is none. */
function fileAt(path: string): { readonly identity: string; readonly size: number } | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  return file === undefined ? undefined : { identity: `${file.dev}:${file.ino}`, size: file.size };
}
