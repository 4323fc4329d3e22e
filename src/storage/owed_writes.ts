import type { Log } from '../system/log.ts';
import { CommitUnanswered, StoreUnavailable } from './errors.ts';

/** A write that the store may not have. */
interface Owed {
  readonly write: () => Promise<unknown>;
  /** How the last try failed. */
  failure: StoreUnavailable;
}

/**
 * What is to be written when the homeserver has answered, which nothing takes back: where the store is away at that
 * moment, it is written as soon as it is there again. There are few: without the store no request gets as far as the
 * homeserver.
 */
export class OwedWrites {
  private readonly owed = new Set<Owed>();

  constructor(private readonly log: Log) {}

  /**
   * Runs `write`, and once more at each round for as long as the store does not have it.
   * @param write commits one unit
   * @throws StoreUnavailable also where it is written later: a client hears of nothing that is not on record yet (R9)
   */
  async sure<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (error instanceof StoreUnavailable) {
        this.owed.add({ write, failure: error });
        this.log.warn(
          { err: error },
          'what follows from an answer of the homeserver is written when the store is there',
        );
      }
      throw error;
    }
  }

  /** @throws StoreUnavailable */
  async round(): Promise<void> {
    for (const each of this.owed) {
      if (await isDone(each)) this.owed.delete(each);
    }
  }

  /** The last round. */
  async end(): Promise<void> {
    await this.round().catch(() => undefined);
    const count = this.owed.size;
    if (count > 0)
      this.log.error(
        { count },
        'what follows from answers of the homeserver is not written: the store was away',
      );
  }
}

/** Whether the store has it now, or had it already. */
async function isDone(owed: Owed): Promise<boolean> {
  const { failure, write } = owed;
  const became = failure instanceof CommitUnanswered ? await failure.outcome() : 'not_written';
  if (became !== 'not_written') return became === 'written';
  try {
    await write();
    return true;
  } catch (error) {
    if (error instanceof StoreUnavailable) owed.failure = error;
    throw error;
  }
}
