import { setTimeout as pause } from 'node:timers/promises';
import type { Storage } from '../storage/storage.ts';
import { findDatabaseIdentity } from '../storage/tables/database_identity.ts';
import type { Log } from '../system/log.ts';
import type { DatabaseMarks } from './database_marks.ts';
import { KeyFileError } from './key_file_error.ts';

/** How often, and at which interval, writing is tried while another process writes the same file. */
const TRIES = 20;
const PAUSE_MS = 25;

/**
 * Marks the database once a user has turned 2FA on in it: before the first enrolment is answered, and at each
 * start and round of housekeeping until it is done. A process that is killed in between has answered no one, and
 * the next one makes up for it.
 */
export class MarkKeeper {
  private done = false;

  constructor(
    private readonly storage: Pick<Storage, 'read'>,
    private readonly marks: DatabaseMarks,
    private readonly log: Log,
  ) {}

  /** @throws StoreUnavailable; a file that cannot be written is told in the log, for the enrolment itself stands */
  async keep(): Promise<void> {
    if (this.done) return;
    const [identity] = await this.storage.read(findDatabaseIdentity());
    if (identity === undefined || identity.firstEnrolledAt === null) return;
    try {
      await this.add(identity.id);
      this.done = true;
    } catch (error) {
      if (!(error instanceof KeyFileError)) throw error;
      this.log.error(
        { err: error },
        `the database could not be marked in ${this.marks.file}; see keys.marks`,
      );
    }
  }

  private async add(id: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return this.marks.add(id);
      } catch (error) {
        const busy = error instanceof KeyFileError && error.problem === 'busy';
        if (!busy || tries === TRIES) throw error;
        await pause(PAUSE_MS);
      }
    }
  }
}
