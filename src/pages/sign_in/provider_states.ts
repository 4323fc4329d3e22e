import { isJsonObject, type Json } from '../../matrix/wire.ts';
import { type Clock, MINUTE } from '../../system/clock.ts';
import { SealBroken, type Vault } from '../../vault/vault.ts';

/** What has to be known again when the homeserver's single sign-on sends a browser back to us. */
export type ProviderState =
  /** The first time: who it is is not known yet. */
  | { readonly round: 1; readonly provider: string; readonly redirectUrl: string; readonly browser: string }
  /** The second time, after code and confirmation. */
  | { readonly round: 2; readonly signInId: string; readonly browser: string }
  | ApprovalState;

/** Once, for a fallback page of a client's session. */
export interface ApprovalState {
  readonly round: 'approval';
  readonly sessionId: string;
  /** The digest of the body that the page asked an approval of. */
  readonly bodyDigest: string | null;
  readonly browser: string;
}

const IDENTITY = 'provider-state';
const LIFETIME_MS = 10 * MINUTE;

/** Carries the state in the address, sealed: only this server can read or make one. */
export class ProviderStates {
  constructor(
    private readonly vault: Vault,
    private readonly clock: Clock,
  ) {}

  seal(state: ProviderState): string {
    const expiresAt = this.clock.now() + LIFETIME_MS;
    return this.vault.seal(JSON.stringify({ ...state, expiresAt }), IDENTITY).toString('base64url');
  }

  /** Undefined if this server did not make it, or it is too old. */
  open(sealed: string): ProviderState | undefined {
    try {
      const state: Json = JSON.parse(this.vault.open(Buffer.from(sealed, 'base64url'), IDENTITY).toString());
      if (!isJsonObject(state) || Number(state.expiresAt) <= this.clock.now()) return undefined;
      return state as ProviderState;
    } catch (error) {
      if (error instanceof SealBroken) return undefined;
      throw error;
    }
  }
}
