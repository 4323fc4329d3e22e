import { statSync } from 'node:fs';
import { StoreUnavailable } from '../errors.ts';

/** What tells a file from every other one; undefined where there was none. */
interface OpenFile {
  readonly path: string;
  readonly device: number | undefined;
  readonly inode: number | undefined;
}

const IF_THERE = { throwIfNoEntry: false } as const;

/** The files of a database as they were when it was opened. */
export class OpenFiles {
  readonly #path: string;
  readonly #files: readonly OpenFile[];
  /** How long the database file was at the last look: it only grows while it is open. */
  #size: number;

  constructor(path: string) {
    this.#path = path;
    this.#files = filesOf(path).map((file) => {
      const found = statSync(file, IF_THERE);
      return { path: file, device: found?.dev, inode: found?.ino };
    });
    this.#size = statSync(path, IF_THERE)?.size ?? 0;
  }

  /**
   * SQLite goes on writing into files that were removed or replaced, and everything would be lost: if one of them
   * cannot be found again at its path, or the database was cut, it is refused (attacks 91 and 167). When the files
   * are back, so is the store.
   * @throws {StoreUnavailable}
   */
  assertPresent(): void {
    for (const { path, device, inode } of this.#files) {
      const file = statSync(path, IF_THERE);
      if (file?.ino !== inode || file?.dev !== device)
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
