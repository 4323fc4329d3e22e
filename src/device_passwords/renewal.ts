import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { OwnLogin } from '../second_factor/own_login.ts';
import {
  type FoundDevicePassword,
  findDevicePassword,
  leaseRenewal,
  renewDevicePassword,
} from '../storage/tables/device_passwords.ts';
import { MINUTE, SECOND } from '../system/clock.ts';
import type { DevicePasswordDeps } from './device_password_deps.ts';
import type { DevicePasswordEnds } from './ends.ts';

/** How long only one process may renew it; if that process dies, the next sign-in does it after this time. */
const LEASE_MS = MINUTE;
/** When a sign-in that came during another's renewal may come again. */
const AGAIN_MS = 2 * SECOND;

export interface DevicePasswordRenewalDeps extends Pick<DevicePasswordDeps, 'storage' | 'vault'> {
  readonly ownLogin: OwnLogin;
  readonly ends: DevicePasswordEnds;
}

/**
 * A device password whose token has expired gets a new login to its device, by our registration as an application service:
 * only while the homeserver still has the device.
 */
export class DevicePasswordRenewal {
  constructor(private readonly deps: DevicePasswordRenewalDeps) {}

  get isOn(): boolean {
    return this.deps.ownLogin.isOn;
  }

  /**
   * The same device password with its new login. Undefined if it stays expired: the homeserver does not take our
   * registration, the device is gone, or it was revoked meanwhile.
   * @throws Refusal limit_exceeded while another one renews it, homeserver_unreachable, homeserver_unclear
   */
  async renew(
    request: ClientRequest,
    expired: FoundDevicePassword,
  ): Promise<FoundDevicePassword | undefined> {
    const { storage, ownLogin, ends } = this.deps;
    const { id, userId, deviceId, secretDigest } = expired;
    const leased = await storage.commit([userId], leaseRenewal(id, LEASE_MS));
    if (leased === undefined)
      throw new Refusal('limit_exceeded', { limit: 'homeserver', retryAfterMs: AGAIN_MS });
    const device = await ownLogin.findDevice({ request, userId, deviceId });
    if (device === 'gone') await ends.end(expired, 'device_gone');
    if (device !== 'there') return undefined;
    const grant = await ownLogin.logIn({ request, userId, body: { device_id: deviceId } });
    if (grant === undefined) return undefined;
    const { tokenHash, expiresInMs } = grant;
    const renewed = renewDevicePassword({
      ...{ id, userId, deviceId: grant.deviceId ?? '', tokenHash },
      sealedToken: grant.sealToken(this.deps.vault, 'device-password', { id, userId }),
      lifetimeMs: expiresInMs ?? null,
    });
    if ((await storage.commit([userId], renewed)) === undefined) {
      // It was revoked, or the login is one to another device.
      await ownLogin.discard(grant);
      return undefined;
    }
    const [found] = await storage.read(findDevicePassword([secretDigest]));
    return found;
  }
}
