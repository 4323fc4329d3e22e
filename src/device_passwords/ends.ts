import { type Write, when } from '../storage/statement.ts';
import {
  type DevicePassword,
  endDevicePassword,
  endDevicePasswordsOf,
  findAnyDevicePassword,
  findDevicePasswordOfToken,
  listDevicePasswords,
} from '../storage/tables/device_passwords.ts';
import { hashToken } from '../system/token_hash.ts';
import type { DevicePasswordDeps } from './device_password_deps.ts';

/** What ended a device password that its owner did not revoke. */
export type EndCause = 'device_gone' | 'password_changed' | 'logged_out_everywhere' | 'deactivated' | 'reset';

/**
 * Ends device passwords where something else ends them. An ended one releases nothing; the next sweep logs its login
 * out, and its keys go with that.
 */
export class DevicePasswordEnds {
  constructor(private readonly deps: Pick<DevicePasswordDeps, 'storage' | 'audit'>) {}

  /** Whether any user has one: logouts need not ask whose a token is where none has. */
  async areThere(): Promise<boolean> {
    return (await this.deps.storage.read(findAnyDevicePassword())).length > 0;
  }

  async end(ended: DevicePassword, cause: EndCause): Promise<void> {
    await this.deps.storage.commit([ended.userId], this.ending(ended, cause));
  }

  /** The login of a device password was logged out by its own token. */
  async endOfToken(token: string): Promise<void> {
    const [found] = await this.deps.storage.read(findDevicePasswordOfToken(hashToken(token)));
    if (found !== undefined) await this.end(found, 'device_gone');
  }

  /**
   * What ends all of a user, in a unit that names them, and how many there are now.
   * @param by who does it, where that is neither the user nor the operator at the command line
   */
  async endingAll(userId: string, cause: EndCause, by?: string) {
    const live = await this.deps.storage.read(listDevicePasswords(userId));
    const each = live.map((found) => this.ending(found, cause, by));
    // One that was made meanwhile ends too.
    return { count: live.length, write: [each, endDevicePasswordsOf(userId)] };
  }

  private ending({ id, userId, deviceId }: DevicePassword, cause: EndCause, by?: string): Write {
    const recorded = this.deps.audit.recorded({
      ...{ userId, event: 'device_password.ended', deviceId, actor: by },
      detail: { device_password: id, cause },
    });
    return when(endDevicePassword(userId, id), { won: recorded, lost: [] });
  }
}
