import type { Homeserver } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isJsonObject } from '../matrix/wire.ts';
import type { Storage } from '../storage/storage.ts';
import { findHeldDevices } from '../storage/tables/holds.ts';
import type { SeenRecovery } from '../storage/tables/recovery_requests.ts';
import type { Log } from '../system/log.ts';

/** It is this program itself that asks. */
const OURSELVES = { ip: '127.0.0.1', proto: 'http', host: undefined } as const;

/** Whether the devices of a user are used while a request of theirs waits: the homeserver says when each was last seen. */
export class SessionUse {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read'>;
      readonly homeserver: Homeserver;
      /** Our registration as an application service; undefined where the operator has set none. */
      readonly registration: { readonly asToken: string } | undefined;
      readonly log: Log;
    },
  ) {}

  /** `unknown` where there is no registration, or the homeserver does not say. */
  async since({ userId, begunAt }: SeenRecovery): Promise<'used' | 'unused' | 'unknown'> {
    const { homeserver, registration, log } = this.deps;
    if (registration === undefined) return 'unknown';
    try {
      const heldBefore = await this.heldDevices(userId);
      const { status, json } = await homeserver.call({
        method: 'GET',
        // An application service says for which of its users it asks (application service API, "Identity assertion").
        path: `/_matrix/client/v3/devices?user_id=${encodeURIComponent(userId)}`,
        token: registration.asToken,
        client: OURSELVES,
      });
      const devices = status === 200 ? json?.devices : undefined;
      if (Array.isArray(devices)) {
        // One may have been held, or have ended, while the homeserver was asked.
        const held = [...heldBefore, ...(await this.heldDevices(userId))];
        const isUsed = devices.some((device) => seenAfter(device, begunAt) && !held.includes(idOf(device)));
        return isUsed ? 'used' : 'unused';
      }
      log.warn(
        { status },
        'the homeserver does not list the devices of a user to homeserver.appservice: run doctor',
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      log.warn({ reason: error.refusal }, 'the homeserver did not say which devices of a user are used');
    }
    return 'unknown';
  }

  /**
   * The devices of held logins: those have proven no second factor. One is also made by a person who only looks on our page
   * how the request stands.
   */
  private async heldDevices(userId: string): Promise<readonly string[]> {
    return (await this.deps.storage.read(findHeldDevices(userId))).map(({ deviceId }) => deviceId);
  }
}

function seenAfter(device: unknown, ts: number): boolean {
  return isJsonObject(device) && typeof device.last_seen_ts === 'number' && device.last_seen_ts > ts;
}

function idOf(device: unknown): string {
  return isJsonObject(device) ? String(device.device_id) : '';
}
