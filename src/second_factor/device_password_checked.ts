import type { TokenOwner } from '../homeserver/homeserver.ts';
import type { DevicePassword } from '../storage/tables/device_passwords.ts';

/**
 * A live device password was brought, and the homeserver has said that its token is still its user's, on its device.
 * It opens no other login: only the one that was made for it.
 */
class DevicePasswordChecked {
  readonly #userId: string;

  constructor(userId: string) {
    this.#userId = userId;
  }

  isFor(userId: string): boolean {
    return this.#userId === userId;
  }
}

export type { DevicePasswordChecked };

/**
 * @param found by the digest of the secret that was brought
 * @param owner whose its token is, as the homeserver says now
 * @returns undefined if it is another's, or another device's
 */
export function checkedBy(
  { userId, deviceId }: DevicePassword,
  owner: TokenOwner,
): DevicePasswordChecked | undefined {
  if (owner.userId !== userId || owner.deviceId !== deviceId) return undefined;
  return new DevicePasswordChecked(userId);
}
