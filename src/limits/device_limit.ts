import { createHash } from 'node:crypto';
import { type Clock, MINUTE, SECOND } from '../system/clock.ts';
import { AttemptLimit, type BegunAttempt } from './attempt_limit.ts';

/** Twenty wrong passwords, then one a minute. */
const RATE = { perSecond: SECOND / MINUTE, burstCount: 20 };

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
    this.limit = new AttemptLimit(RATE, clock, 'device');
  }

  /** Takes one attempt of the device, whose end the caller tells. @throws Refusal `limit_exceeded` */
  begin(device: OwnedDevice): Promise<BegunAttempt> {
    return this.limit.begin(keyOf(device));
  }

  /**
   * Takes one more for an attempt that is under way and turns out to be two.
   * @throws Refusal `limit_exceeded` if there is none left
   */
  takeFurther(device: OwnedDevice): void {
    this.limit.takeFurther(keyOf(device));
  }
}

/** A digest, because clients choose device ids of any length. */
function keyOf({ userId, deviceId }: OwnedDevice): string {
  return createHash('sha256')
    .update(JSON.stringify([userId, deviceId]))
    .digest('base64');
}
