import type { Clock } from '../../../src/system/clock.ts';
import { type Exchange, StubRefusal } from './exchange.ts';

/** A rate as Synapse writes it. */
export interface Rate {
  readonly perSecond: number;
  readonly burstCount: number;
}

/** Which limits on logins are on. */
export interface LoginRates {
  readonly address?: Rate;
  readonly account?: Rate;
  readonly failedAttempts?: Rate;
  /** Dendrite's limiter: this many at once per X-Forwarded-For, each freed after half a second. */
  readonly slots?: number;
}

/** What Synapse does when nothing is configured. */
export const SYNAPSE_DEFAULT_RATES: LoginRates = {
  address: { perSecond: 0.003, burstCount: 5 },
  account: { perSecond: 0.003, burstCount: 5 },
  failedAttempts: { perSecond: 0.17, burstCount: 3 },
};

export const DENDRITE_DEFAULT_RATES: LoginRates = { slots: 20 };

const SLOT_MS = 500;

interface Bucket {
  count: number;
  readonly startedAt: number;
}

/** The login limits of a homeserver: leaky buckets as in Synapse, or slots as in Dendrite. */
export class LoginLimits {
  readonly #buckets = new Map<string, Bucket>();
  readonly #slots = new Map<string, number[]>();

  constructor(
    private readonly rates: LoginRates,
    private readonly clock: Clock,
  ) {}

  /** Counts a login request. @throws StubRefusal 429 */
  countRequest(exchange: Exchange): void {
    if (this.rates.address) this.#count(`address ${exchange.clientAddress}`, this.rates.address);
    this.takeSlot(exchange);
  }

  /** Counts a login that is about to be granted. @throws StubRefusal 429 */
  countGrant(userId: string): void {
    if (this.rates.account) this.#count(`account ${userId}`, this.rates.account);
  }

  /** Refuses, without counting, where too many attempts failed. @throws StubRefusal 429 */
  checkFailures(name: string): void {
    if (this.rates.failedAttempts) this.#check(`failed ${name}`, this.rates.failedAttempts);
  }

  countFailure(name: string): void {
    const { failedAttempts } = this.rates;
    if (failedAttempts) this.#bucket(`failed ${name}`, failedAttempts).count += 1;
  }

  /** Dendrite's limiter alone; its key is the whole X-Forwarded-For, or the peer with its port. */
  takeSlot(exchange: Exchange): void {
    const { slots } = this.rates;
    if (slots === undefined) return;
    const { socket } = exchange.request;
    const forwarded = exchange.headers['x-forwarded-for'];
    const key = String(forwarded ?? `${socket.remoteAddress}:${socket.remotePort}`);
    const now = this.clock.now();
    const taken = (this.#slots.get(key) ?? []).filter((at) => now - at < SLOT_MS);
    this.#slots.set(key, taken);
    if (taken.length > slots) throw tooMany(SLOT_MS, false);
    taken.push(now);
  }

  #count(key: string, rate: Rate): void {
    this.#check(key, rate);
    this.#bucket(key, rate).count += 1;
  }

  #check(key: string, rate: Rate): void {
    const bucket = this.#bucket(key, rate);
    const leaked = ((this.clock.now() - bucket.startedAt) / 1000) * rate.perSecond;
    if (bucket.count - leaked <= rate.burstCount - 1) return;
    const freeAt = bucket.startedAt + ((bucket.count - rate.burstCount + 1) / rate.perSecond) * 1000;
    throw tooMany(Math.ceil(freeAt - this.clock.now()), true);
  }

  #bucket(key: string, rate: Rate): Bucket {
    const now = this.clock.now();
    const bucket = this.#buckets.get(key);
    if (bucket !== undefined && bucket.count - ((now - bucket.startedAt) / 1000) * rate.perSecond > 0) {
      return bucket;
    }
    const fresh: Bucket = { count: 0, startedAt: now };
    this.#buckets.set(key, fresh);
    return fresh;
  }
}

function tooMany(retryAfterMs: number, withHeader: boolean): StubRefusal {
  return new StubRefusal({
    status: 429,
    body: { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: retryAfterMs },
    headers: withHeader ? { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } : {},
  });
}
