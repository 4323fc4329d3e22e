import { StoreUnavailable } from '../errors.ts';
import type { RetryCause } from '../statement.ts';
import type { Connection } from './connection.ts';
import { asStoreError, isBusy } from './store_error.ts';

/** How often, and after how many ms each, a commit is tried again while another process writes. */
export interface Patience {
  readonly tries: number;
  readonly pauseMs: number;
}

const TWO_SECONDS: Patience = { tries: 40, pauseMs: 25 };

export interface GroupCommitOptions {
  readonly patience?: Patience;
  readonly onRetry?: ((cause: RetryCause) => void) | undefined;
}

/** A write that waits for the next commit. */
interface WaitingWrite {
  /** Does the work; returns what tells the caller of it, to be called after the commit. */
  readonly run: () => () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets all writes that are asked for in one turn of the event loop share one commit, for the wait for the disk
 * is what a write costs. Each has a savepoint of its own: one that fails undoes nothing of the others. Callers
 * hear of their write after it is on disk.
 */
export class GroupCommit {
  readonly #connection: Connection;
  readonly #patience: Patience;
  readonly #onRetry: ((cause: RetryCause) => void) | undefined;
  #waiting: WaitingWrite[] = [];
  #wake: (() => void) | undefined;
  #busyTries = 0;

  constructor(connection: Connection, { patience = TWO_SECONDS, onRetry }: GroupCommitOptions = {}) {
    this.#connection = connection;
    this.#patience = patience;
    this.#onRetry = onRetry;
  }

  /**
   * Runs `work` in the next commit. It must be synchronous; what it throws undoes its own writes only.
   * @returns what `work` returned, once it is durable.
   * @throws {StoreUnavailable} the database cannot be written.
   */
  write<T>(work: (connection: Connection) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const run = () => {
        const answer = work(this.#connection);
        return () => resolve(answer);
      };
      this.#waiting.push({ run, reject });
      this.#commitAtEndOfTurn();
    });
  }

  /** Commits what still waits, now. */
  finish(): void {
    this.#wake?.();
    this.#busyTries = this.#patience.tries;
    this.#commitWaiting();
  }

  #commitAtEndOfTurn(): void {
    if (this.#wake !== undefined) return;
    const immediate = setImmediate(() => this.#commitWaiting());
    this.#wake = () => clearImmediate(immediate);
  }

  #commitAfterPause(): void {
    const timer = setTimeout(() => this.#commitWaiting(), this.#patience.pauseMs);
    this.#wake = () => clearTimeout(timer);
  }

  #commitWaiting(): void {
    this.#wake = undefined;
    if (this.#waiting.length === 0) return;
    try {
      this.#connection.assertPresent();
      this.#rollBack();
      this.#connection.run('BEGIN IMMEDIATE');
    } catch (error) {
      this.#waitOrGiveUp(error);
      return;
    }
    this.#busyTries = 0;
    const writes = this.#waiting;
    this.#waiting = [];
    this.#commitTogether(writes);
  }

  /** Tried again where another process is writing, which is short; with any other error nothing can be written. */
  #waitOrGiveUp(error: unknown): void {
    if (isBusy(error) && this.#busyTries < this.#patience.tries) {
      this.#busyTries += 1;
      this.#onRetry?.('busy');
      this.#commitAfterPause();
      return;
    }
    this.#busyTries = 0;
    const writes = this.#waiting;
    this.#waiting = [];
    for (const write of writes) write.reject(asStoreError(error));
  }

  #commitTogether(writes: readonly WaitingWrite[]): void {
    let tellCallers: (() => void)[];
    try {
      // A write that is alone needs no savepoint: the transaction is undone with it.
      tellCallers = writes.map((write) => (writes.length === 1 ? write.run() : this.#runInSavepoint(write)));
      this.#connection.run('COMMIT');
      // A file that was lost in between took the commit along: no one may be told that it is on disk.
      this.#connection.assertPresent();
    } catch (error) {
      this.#rollBack();
      for (const write of writes) write.reject(asStoreError(error));
      return;
    }
    for (const tellCaller of tellCallers) tellCaller();
  }

  #runInSavepoint(write: WaitingWrite): () => void {
    this.#connection.run('SAVEPOINT one_write');
    try {
      const tellCaller = write.run();
      this.#connection.run('RELEASE one_write');
      return tellCaller;
    } catch (error) {
      this.#undoSavepoint(error);
      return () => write.reject(asStoreError(error));
    }
  }

  /** A full disk or the like makes SQLite end the whole transaction: then all of its writes failed. */
  #undoSavepoint(error: unknown): void {
    if (!this.#connection.inTransaction) throw new StoreUnavailable(error);
    this.#connection.run('ROLLBACK TO one_write');
    this.#connection.run('RELEASE one_write');
  }

  /** Ends a transaction that failed, if SQLite has not done so itself. */
  #rollBack(): void {
    try {
      if (this.#connection.inTransaction) this.#connection.run('ROLLBACK');
    } catch {
      // Tried again before the next BEGIN; until then nothing can be read or written.
    }
  }
}
