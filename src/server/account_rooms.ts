import type { AccountParts, AccountSettings } from '../account/account_parts.ts';
import { AuthenticatorNames } from '../account/authenticator_names.ts';
import { OwnHistory } from '../account/own_history.ts';
import { OwnerProofs } from '../account/owner_proof.ts';
import { RecoveryCodes } from '../account/recovery_codes.ts';
import { TotpConfirmation } from '../account/totp_confirmation.ts';
import { TotpRemoval } from '../account/totp_removal.ts';
import { TotpSetup } from '../account/totp_setup.ts';
import { TwoFactorState } from '../account/two_factor_state.ts';
import type { Groundwork } from './groundwork.ts';

/** The two-factor API. */
export interface AccountRooms {
  readonly state: TwoFactorState;
  readonly totpSetup: TotpSetup;
  readonly totpConfirmation: TotpConfirmation;
  readonly totpRemoval: TotpRemoval;
  readonly recoveryCodes: RecoveryCodes;
  readonly authenticatorNames: AuthenticatorNames;
  readonly ownHistory: OwnHistory;
}

/** Puts the two-factor API together. */
export function composeAccountRooms(ground: Groundwork): AccountRooms {
  const { config, storage, owners, passwordProbe } = ground;
  const parts: AccountParts = {
    ...ground,
    store: storage.factors,
    proofs: new OwnerProofs(owners, passwordProbe),
    recovery: ground,
  };
  const settings: AccountSettings = {
    totp: ground.totp,
    recoveryCount: config.recovery.count,
    setupTtlMs: config.uia.sessionTtlMs,
  };
  return {
    state: new TwoFactorState(parts),
    totpSetup: new TotpSetup(parts, settings),
    totpConfirmation: new TotpConfirmation(parts, settings),
    totpRemoval: new TotpRemoval(parts),
    recoveryCodes: new RecoveryCodes(parts, settings),
    authenticatorNames: new AuthenticatorNames(parts),
    ownHistory: new OwnHistory(parts),
  };
}
