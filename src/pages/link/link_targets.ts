import type { ClientRequest } from '../../http/client_request.ts';
import { networkOf } from '../../http/network.ts';
import { SharedLimit } from '../../limits/shared_limit.ts';
import { isJsonObject, type Json } from '../../matrix/wire.ts';
import type { DeviceGrants, WaitingDevice } from '../../oauth/device_grants.ts';
import { readUserCode } from '../../oauth/user_code.ts';
import type { Storage } from '../../storage/storage.ts';
import { MINUTE, SECOND } from '../../system/clock.ts';
import { SealBroken, type Vault } from '../../vault/vault.ts';
import type { FormTokens } from '../forms/form_tokens.ts';

const IDENTITY = 'link-target';
/** Where an address names a device that waits. */
export const DEVICE = 'device';

/**
 * How often one address may type a code, at all processes together. With all its tries of ten minutes it hits a given code
 * with a chance of one in 200 million.
 */
export const TYPED_USER_CODES = { perSecond: 10 / (MINUTE / SECOND), burstCount: 10 };

/** A device that waits, for the browser in which its code was typed. */
export interface LinkedDevice extends WaitingDevice {
  readonly userCode: string;
}

/**
 * Names a device that waits in the addresses of our pages: sealed, and for the browser in which its code was typed. No link
 * that someone sends takes the place of typing it.
 */
export class LinkTargets {
  private readonly limit: SharedLimit;

  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'commit' | 'read'>;
      readonly vault: Vault;
      readonly tokens: FormTokens;
      readonly devices: DeviceGrants;
    },
  ) {
    this.limit = new SharedLimit(deps, 'oauth user code', TYPED_USER_CODES, 'address');
  }

  /**
   * The query of an address of the device that waits under the code that was typed. Undefined if none does.
   * @throws Refusal limit_exceeded
   */
  async queryFor(request: ClientRequest, typed: string): Promise<string | undefined> {
    await this.limit.take(networkOf(request.client.ip));
    const userCode = readUserCode(typed);
    const device = userCode === undefined ? undefined : await this.deps.devices.ofUserCode(userCode);
    if (device === undefined) return undefined;
    const { binding: browser } = this.deps.tokens.browserOf(request);
    const sealed = this.deps.vault.seal(
      JSON.stringify({ idHash: device.idHash, userCode, browser }),
      IDENTITY,
    );
    return `${DEVICE}=${sealed.toString('base64url')}`;
  }

  /** Undefined for another browser, and where the device waits no more. */
  async find(request: ClientRequest, query: string): Promise<LinkedDevice | undefined> {
    const { idHash, userCode, browser } = this.opened(new URLSearchParams(query).get(DEVICE) ?? '');
    if (typeof idHash !== 'string' || typeof userCode !== 'string' || typeof browser !== 'string')
      return undefined;
    if (!this.deps.tokens.isBrowser(request, browser)) return undefined;
    const device = await this.deps.devices.find(idHash);
    return device && { ...device, userCode };
  }

  private opened(sealed: string): Readonly<Record<string, Json | undefined>> {
    try {
      const opened: Json = JSON.parse(
        this.deps.vault.open(Buffer.from(sealed, 'base64url'), IDENTITY).toString(),
      );
      return isJsonObject(opened) ? opened : {};
    } catch (error) {
      if (error instanceof SealBroken) return {};
      throw error;
    }
  }
}
