import type { Storage } from '../storage/storage.ts';
import { findGrant, findPendingDeviceGrant, type OauthGrant } from '../storage/tables/oauth_grants.ts';
import type { Vault } from '../vault/vault.ts';
import type { Clients } from './clients.ts';

/** A device that waits for its user, with what its app says of itself. */
export interface WaitingDevice {
  readonly idHash: string;
  readonly clientId: string;
  readonly deviceId: string;
  readonly name: string | undefined;
  /** When, and from which address, its code was asked for. */
  readonly askedAt: number;
  readonly askedFrom: string;
}

/** Device grants that wait for their user (RFC 8628). */
export class DeviceGrants {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read'>;
      readonly vault: Vault;
      readonly clients: Pick<Clients, 'find'>;
    },
  ) {}

  /** How a code is stored. All codes of this length can be hashed in a minute, so the digest is keyed. */
  hashOf(userCode: string): string {
    return this.deps.vault.digest('oauth-user-code', userCode);
  }

  /** Undefined for a code that is wrong, was decided on, or has expired: no one learns which. */
  async ofUserCode(userCode: string): Promise<WaitingDevice | undefined> {
    const [found] = await this.deps.storage.read(findPendingDeviceGrant(this.hashOf(userCode)));
    return found && this.waiting(found);
  }

  /** The same for one that was found before. */
  async find(idHash: string): Promise<WaitingDevice | undefined> {
    const [found] = await this.deps.storage.read(findGrant(idHash));
    if (found?.kind !== 'device' || found.state !== 'pending' || found.expiresAt <= found.now)
      return undefined;
    return this.waiting(found);
  }

  private async waiting(found: OauthGrant): Promise<WaitingDevice | undefined> {
    const { idHash, clientId, deviceId, createdAt } = found;
    const client = await this.deps.clients.find(clientId);
    return (
      client && {
        idHash,
        clientId,
        deviceId,
        name: client.name,
        askedAt: createdAt,
        askedFrom: found.askedFrom ?? '',
      }
    );
  }
}
