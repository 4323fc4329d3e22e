import type { AccountParts, AccountSettings } from '../account/account_parts.ts';
import { AuthenticatorNames } from '../account/authenticator_names.ts';
import { AuthenticatorRemoval } from '../account/authenticator_removal.ts';
import { OwnHistory } from '../account/own_history.ts';
import { RecoveryCodes } from '../account/recovery_codes.ts';
import { SetUp } from '../account/set_up.ts';
import { SetUpConfirmation } from '../account/set_up_confirmation.ts';
import { TwoFactorState } from '../account/two_factor_state.ts';
import type { Groundwork } from './groundwork.ts';

/** The two-factor API. */
export interface AccountRooms {
  readonly state: TwoFactorState;
  readonly setUp: SetUp;
  readonly setUpConfirmation: SetUpConfirmation;
  readonly authenticatorRemoval: AuthenticatorRemoval;
  readonly recoveryCodes: RecoveryCodes;
  readonly authenticatorNames: AuthenticatorNames;
  readonly ownHistory: OwnHistory;
}

/** Puts the two-factor API together. */
export function composeAccountRooms(ground: Groundwork): AccountRooms {
  const { config, storage } = ground;
  const parts: AccountParts = {
    ...ground,
    store: storage.factors,
    recovery: ground,
  };
  const settings: AccountSettings = {
    recoveryCount: config.recovery.count,
    setupTtlMs: config.uia.sessionTtlMs,
  };
  return {
    state: new TwoFactorState(parts),
    setUp: new SetUp(parts, settings),
    setUpConfirmation: new SetUpConfirmation(parts, settings),
    authenticatorRemoval: new AuthenticatorRemoval(parts),
    recoveryCodes: new RecoveryCodes(parts, settings),
    authenticatorNames: new AuthenticatorNames(parts),
    ownHistory: new OwnHistory(parts),
  };
}
