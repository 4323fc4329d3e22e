import type { LimitName } from '../matrix/outcome.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Storage } from '../storage/storage.ts';
import { findAllowance, takeAllowance } from '../storage/tables/allowances.ts';
import { SECOND } from '../system/clock.ts';
import type { Rate } from './rate_limit.ts';

/**
 * A token bucket for each key, in the store: all processes take from one, and a restart fills none. For what is rare, as
 * each attempt is a commit; `RateLimit` is for the rest.
 */
export class SharedLimit {
  constructor(
    private readonly deps: { readonly storage: Pick<Storage, 'commit' | 'read'> },
    /** What is limited: others have buckets of their own. */
    private readonly what: string,
    private readonly rate: Rate,
    private readonly name: LimitName,
  ) {}

  /**
   * Takes one from the bucket of `key`.
   * @throws Refusal `limit_exceeded` if it is empty, with the time until it is not
   */
  async take(key: string): Promise<void> {
    const { storage } = this.deps;
    // No user id begins like that.
    const whose = `${this.what} ${key}`;
    if ((await storage.commit([], takeAllowance(whose, this.rate))) !== undefined) return;
    const [left] = await storage.read(findAllowance(whose, this.rate));
    const missing = Math.max(0, 1 - (left?.level ?? 0));
    throw new Refusal('limit_exceeded', {
      limit: this.name,
      retryAfterMs: (missing / this.rate.perSecond) * SECOND,
    });
  }
}
