import type { ClientRequest } from '../../http/client_request.ts';
import { isJsonObject, type Json } from '../../matrix/wire.ts';
import type { DeviceGrants, WaitingDevice } from '../../oauth/device_grants.ts';
import { SealBroken, type Vault } from '../../vault/vault.ts';
import type { FormTokens } from '../forms/form_tokens.ts';

const IDENTITY = 'link-target';
/** Where an address names a device that waits. */
export const DEVICE = 'device';

/** A device that waits, for the browser in which its code was typed. */
export interface LinkedDevice extends WaitingDevice {
  readonly userCode: string;
}

/**
 * Names a device that waits in the addresses of our pages: sealed, and for the browser in which its code was typed. No link that
 * someone sends takes the place of typing it.
 */
export class LinkTargets {
  constructor(
    private readonly deps: {
      readonly vault: Vault;
      readonly tokens: FormTokens;
      readonly devices: DeviceGrants;
    },
  ) {}

  /** The query of an address of the device that waits under this code. Undefined if none does. */
  async queryFor(request: ClientRequest, userCode: string): Promise<string | undefined> {
    const device = await this.deps.devices.ofUserCode(userCode);
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
