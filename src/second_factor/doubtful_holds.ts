import { StoreUnavailable } from '../storage/errors.ts';
import { type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { type HeldLogin, takeHold } from '../storage/tables/holds.ts';

/**
 * Held logins of which it is unknown whether the store has them: the connection was lost before the commit was
 * answered. Such a login counts as not held, and its sign-in logs it out. So it must not wait for a code: the next
 * equal sign-in would join it, and get a token that is dead.
 */
export class DoubtfulHolds {
  private readonly holds = new Map<string, { readonly held: HeldLogin; readonly alsoUndone: Write }>();

  constructor(private readonly storage: Storage) {}

  /**
   * Runs `keep`; where the store fails, the held login ends, at once or when the store is there again.
   * @param alsoUndone is written where it was held
   */
  async orEnd<T>(held: HeldLogin, alsoUndone: Write, keep: () => Promise<T>): Promise<T> {
    try {
      return await keep();
    } catch (error) {
      if (error instanceof StoreUnavailable) {
        this.holds.set(held.id, { held, alsoUndone });
        await this.end().catch(() => undefined);
      }
      throw error;
    }
  }

  /** Those of which it is known. */
  without(found: readonly HeldLogin[]): HeldLogin[] {
    return found.filter(({ id }) => !this.holds.has(id));
  }

  /** @throws StoreUnavailable */
  async end(): Promise<void> {
    for (const [id, { held, alsoUndone }] of this.holds) {
      await this.storage.commit([held.userId], when(takeHold(id), { won: alsoUndone, lost: [] }));
      this.holds.delete(id);
    }
  }
}
