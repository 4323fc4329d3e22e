import { CommitUnanswered, StoreUnavailable } from '../storage/errors.ts';
import { type Write, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { type HeldLogin, keepEndedHold, takeHold } from '../storage/tables/holds.ts';

/** A release whose commit was not answered. */
interface UnansweredRelease extends Pick<CommitUnanswered, 'outcome'> {
  readonly held: HeldLogin;
}

/**
 * Held logins of which it is unknown whether the store has them: the connection was lost before the commit was
 * answered. Such a login counts as not held, and its sign-in logs it out. So it must not wait for a code: the next
 * equal sign-in would join it, and get a token that is dead. Also those of which it is unknown whether they were given
 * out: no client has such a login.
 */
export class DoubtfulHolds {
  private readonly holds = new Map<string, { readonly held: HeldLogin; readonly alsoUndone: Write }>();
  private readonly releases = new Set<UnansweredRelease>();

  constructor(private readonly storage: Storage) {}

  /**
   * Runs `keep`; where the store fails, the held login ends, at once or when the store is there again.
   * @param alsoUndone what is written with that end, if the store had the login after all
   */
  async orEnd<T>(held: HeldLogin, alsoUndone: () => Write, keep: () => Promise<T>): Promise<T> {
    try {
      return await keep();
    } catch (error) {
      if (error instanceof StoreUnavailable) {
        this.holds.set(held.id, { held, alsoUndone: alsoUndone() });
        await this.end().catch(() => undefined);
      }
      throw error;
    }
  }

  /**
   * A release failed. Where its commit was not answered, no client has the token: if it turns out to be written, the
   * login is logged out by the next sweep, now or when the store is there again. If not, it is held as before.
   */
  async releaseFailed(held: HeldLogin, error: unknown): Promise<void> {
    if (!(error instanceof CommitUnanswered)) return;
    this.releases.add({ held, outcome: error.outcome });
    await this.end().catch(() => undefined);
  }

  /** The held logins that the store certainly has. */
  without(found: readonly HeldLogin[]): HeldLogin[] {
    return found.filter(({ id }) => !this.holds.has(id));
  }

  /** @throws StoreUnavailable */
  async end(): Promise<void> {
    for (const [id, { held, alsoUndone }] of this.holds) {
      await this.storage.commit([held.userId], when(takeHold(id), { won: alsoUndone, lost: [] }));
      this.holds.delete(id);
    }
    for (const release of this.releases) await this.endReleased(release);
  }

  private async endReleased(release: UnansweredRelease): Promise<void> {
    const { held, outcome } = release;
    const became = await outcome();
    if (became === 'open') return;
    if (became === 'written') await this.storage.commit([held.userId], keepEndedHold(held));
    this.releases.delete(release);
  }
}
