import { createHash } from 'node:crypto';
import type { ClientAddress } from '../http/client_request.ts';
import { networkOf } from '../http/network.ts';
import type { LimitName } from '../matrix/outcome.ts';
import { Refusal } from '../matrix/refusals.ts';
import { type Clock, MINUTE, SECOND } from '../system/clock.ts';
import { type Rate, RateLimit } from './rate_limit.ts';

/** How many attempts of one key may wait for others of that key to end. */
const MOST_WAITING = 1000;

/** The attempts of one key that are under way. */
interface UnderWay {
  attempts: number;
  /** Attempts that wait until one of these ends. */
  readonly waiting: (() => void)[];
}

/** An attempt that is under way. */
export interface BegunAttempt {
  /** Ends it, once. @param counts whether it failed; an attempt that did not is given back */
  end(counts: boolean): void;
}

/** Whether an attempt that broke off counts: not where the homeserver or the store is out of order. */
export function countsAsFailed(error: unknown): boolean {
  return error instanceof Refusal && error.status < 500;
}

/** A limit on failed attempts, for each key; an attempt that succeeds does not count, also among many at once. */
class AttemptLimit {
  private readonly limit: RateLimit;
  private readonly underWay = new Map<string, UnderWay>();

  constructor(rate: Rate, clock: Clock, name: LimitName) {
    this.limit = new RateLimit(rate, clock, name);
  }

  /**
   * Takes one attempt of the key, and gives it back if the attempt succeeds or finds the homeserver or the store out
   * of order. While others that are under way have what is left, it waits for what becomes of them.
   * @throws Refusal `limit_exceeded` if there were too many; whatever `act` throws
   */
  async attempt<T>(key: string, act: () => Promise<T>, hasSucceeded: (result: T) => boolean): Promise<T> {
    const begun = await this.begin(key);
    let counts = true;
    try {
      const result = await act();
      counts = !hasSucceeded(result);
      return result;
    } catch (error) {
      counts = countsAsFailed(error);
      throw error;
    } finally {
      begun.end(counts);
    }
  }

  /** Takes one attempt of the key; `end` must follow, whatever becomes of it. @throws Refusal `limit_exceeded` */
  async begin(key: string): Promise<BegunAttempt> {
    await this.take(key);
    return {
      end: (counts) => {
        if (!counts) this.limit.giveBack(key);
        this.end(key);
      },
    };
  }

  /**
   * Takes one more for an attempt that is under way and turns out to be two. It does not wait, or it would wait for
   * itself, and it is not given back.
   * @throws Refusal `limit_exceeded` if there is none left
   */
  takeFurther(key: string): void {
    this.limit.take(key);
  }

  private async take(key: string): Promise<void> {
    let others = this.underWay.get(key);
    while (this.limit.isEmpty(key) && others !== undefined && others.waiting.length < MOST_WAITING) {
      const { waiting } = others;
      await new Promise<void>((resolve) => waiting.push(resolve));
      others = this.underWay.get(key);
    }
    this.limit.take(key);
    if (others === undefined) this.underWay.set(key, { attempts: 1, waiting: [] });
    else others.attempts += 1;
  }

  private end(key: string): void {
    const others = this.underWay.get(key);
    if (others === undefined) return;
    others.attempts -= 1;
    if (others.attempts === 0) this.underWay.delete(key);
    for (const wake of others.waiting.splice(0)) wake();
  }
}

/**
 * The limit on attempts from one address, so that no one tries many accounts from one place. Only what fails counts:
 * hundreds of people behind one address who sign in rightly do not meet it (attack 142).
 */
export class AddressLimit {
  private readonly limit: AttemptLimit;

  constructor(rate: Rate, clock: Clock) {
    this.limit = new AttemptLimit(rate, clock, 'address');
  }

  /**
   * Takes one attempt of the client's address, as far as trusted hops can tell it (attack 81), and gives it back if
   * it succeeds or finds the homeserver or the store out of order.
   * @throws Refusal `limit_exceeded` if there were too many; whatever `act` throws
   */
  attempt<T>(client: ClientAddress, act: () => Promise<T>, hasSucceeded: (result: T) => boolean): Promise<T> {
    return this.limit.attempt(addressKey(client), act, hasSucceeded);
  }

  /** The same for an attempt whose end the caller tells. @throws Refusal `limit_exceeded` */
  begin(client: ClientAddress): Promise<BegunAttempt> {
    return this.limit.begin(addressKey(client));
  }

  /**
   * Takes one more for an attempt that is under way and turns out to be two.
   * @throws Refusal `limit_exceeded` if there is none left
   */
  takeFurther(client: ClientAddress): void {
    this.limit.takeFurther(addressKey(client));
  }
}

/** A known browser is not kept out by what else comes from its address. */
function addressKey({ ip, knownBrowser }: ClientAddress): string {
  return knownBrowser === undefined ? networkOf(ip) : `browser ${knownBrowser}`;
}

/** Twenty wrong passwords, then one a minute. */
const DEVICE_RATE = { perSecond: SECOND / MINUTE, burstCount: 20 };

/** Whose token it is, and of which device: a renewed token makes no new one. */
export interface OwnedDevice {
  readonly userId: string;
  readonly deviceId: string | null;
}

/**
 * The limit on wrong passwords under the tokens of one device. Homeservers have none there, so a stolen token could be
 * used to guess the owner's password, from any number of addresses (attack 146).
 */
export class DeviceLimit {
  private readonly limit: AttemptLimit;

  constructor(clock: Clock) {
    this.limit = new AttemptLimit(DEVICE_RATE, clock, 'device');
  }

  /** Takes one attempt of the device, whose end the caller tells. @throws Refusal `limit_exceeded` */
  begin(device: OwnedDevice): Promise<BegunAttempt> {
    return this.limit.begin(deviceKey(device));
  }

  /**
   * Takes one more for an attempt that is under way and turns out to be two.
   * @throws Refusal `limit_exceeded` if there is none left
   */
  takeFurther(device: OwnedDevice): void {
    this.limit.takeFurther(deviceKey(device));
  }
}

/** A digest, because clients choose device ids of any length. */
function deviceKey({ userId, deviceId }: OwnedDevice): string {
  return createHash('sha256')
    .update(JSON.stringify([userId, deviceId]))
    .digest('base64');
}
