import { createHash } from 'node:crypto';
import type { LimitName } from '../matrix/outcome.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Clock, SECOND } from '../system/clock.ts';

/** As in Synapse's `rc_*` settings. */
export interface Rate {
  /** Above 0. */
  readonly perSecond: number;
  /** How many at once; at least 1. */
  readonly burstCount: number;
}

interface Bucket {
  readonly level: number;
  /** When the level was that, in ms since the epoch. */
  readonly at: number;
}

/** Addresses and devices are shorter. */
const LONGEST_OWN_NAME = 43;

/**
 * A token bucket for each key, in the memory of this process. Beyond `maxKeys` the least recently used are forgotten,
 * so that many keys do not fill the memory (attack 71). Of a long key only its digest is kept (attack 124).
 */
export class RateLimit {
  /** By the digest of the key, in the order of last use. */
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly rate: Rate,
    private readonly clock: Clock,
    private readonly name: LimitName,
    private readonly maxKeys = 50_000,
  ) {}

  /**
   * Takes one from the bucket of `key`.
   * @throws Refusal `limit_exceeded` if it is empty, with the time until it is not.
   */
  take(key: string): void {
    this.require(key);
    this.spend(key);
  }

  /**
   * Only looks, for attempts of which only some count.
   * @throws Refusal `limit_exceeded` if the bucket of `key` is empty.
   */
  require(key: string): void {
    const level = this.levelOf(key);
    if (level >= 1) return;
    const retryAfterMs = ((1 - level) / this.rate.perSecond) * SECOND;
    throw new Refusal('limit_exceeded', { limit: this.name, retryAfterMs });
  }

  isEmpty(key: string): boolean {
    return this.levelOf(key) < 1;
  }

  /** Takes one, also from an empty bucket: what happened cannot be undone. */
  spend(key: string): void {
    this.keep(key, Math.max(0, this.levelOf(key) - 1));
  }

  /** Gives one back whose attempt does not count after all. */
  giveBack(key: string): void {
    if (!this.buckets.has(digestOf(key))) return;
    this.keep(key, Math.min(this.rate.burstCount, this.levelOf(key) + 1));
  }

  private levelOf(key: string): number {
    const bucket = this.buckets.get(digestOf(key));
    if (!bucket) return this.rate.burstCount;
    // A clock that jumped back gives nothing, and time counts from there on (attacks 62 and 144).
    if (bucket.at > this.clock.now()) this.keep(key, bucket.level);
    const elapsed = Math.max(0, this.clock.now() - bucket.at);
    return Math.min(this.rate.burstCount, bucket.level + (elapsed / SECOND) * this.rate.perSecond);
  }

  private keep(key: string, level: number): void {
    const digest = digestOf(key);
    this.buckets.delete(digest);
    this.buckets.set(digest, { level, at: this.clock.now() });
    if (this.buckets.size <= this.maxKeys) return;
    const [oldest] = this.buckets.keys();
    if (oldest !== undefined) this.buckets.delete(oldest);
  }
}

/** A key that is no longer than its digest stands for itself; no digest has a blank. */
function digestOf(key: string): string {
  if (key.length <= LONGEST_OWN_NAME) return ` ${key}`;
  return createHash('sha256').update(key).digest('base64url');
}
