import type { FinishedRequest } from '../gateway/request_log.ts';
import { StoreUnavailable } from '../storage/errors.ts';
import type { Driver } from '../storage/statement.ts';
import { SEEN_EVERY_MS, sawUser } from '../storage/tables/known_users.ts';
import type { Clock } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { Remembered } from '../system/remembered.ts';

/** How many noted users are remembered; others are noted again, which changes nothing. */
const MOST_REMEMBERED = 100_000;

export interface SeenUsersDeps {
  readonly storage: Pick<Driver, 'commit'>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Notes which users are there, for `user list`: those that a request was about, as the homeserver, a token or a session
 * named them, but for those whom a listed application service acts for. Each is written once a day, and no request waits for it.
 */
export class SeenUsers {
  private readonly noted: Remembered;
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly deps: SeenUsersDeps) {
    this.noted = new Remembered(deps.clock, SEEN_EVERY_MS, MOST_REMEMBERED);
  }

  finished({ record: { userId, isOfService }, route, status }: FinishedRequest): void {
    if (isOfService) return;
    // Of an account that was closed nothing is kept but the record.
    const isClosed = route?.id === 'deactivate_account' && status === 200;
    if (userId === undefined || isClosed || this.noted.has(userId)) return;
    this.noted.add(userId);
    const noting = this.note(userId).finally(() => this.underWay.delete(noting));
    this.underWay.add(noting);
  }

  /** Resolves once no one is being noted. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  private async note(userId: string): Promise<void> {
    try {
      await this.deps.storage.commit([], sawUser(userId));
    } catch (error) {
      this.noted.forget(userId);
      if (!(error instanceof StoreUnavailable))
        this.deps.log.error({ err: error }, 'a user could not be noted');
    }
  }
}
