import type { AccountDeps, AccountSettings } from '../../account/account_deps.ts';
import { AccountPolicy } from '../../account/account_policy.ts';
import { AuthenticatorNames } from '../../account/authenticator_names.ts';
import { AuthenticatorRemoval } from '../../account/authenticator_removal.ts';
import { Enrolment } from '../../account/enrolment.ts';
import { OwnHistory } from '../../account/own_history.ts';
import { RecoveryCodes } from '../../account/recovery_codes.ts';
import { RecoverySetUp } from '../../account/recovery_set_up.ts';
import { Replacement } from '../../account/replacement.ts';
import { SetUp } from '../../account/set_up.ts';
import { SetUpConfirmation } from '../../account/set_up_confirmation.ts';
import { SetUps } from '../../account/set_ups.ts';
import { TwoFactorState } from '../../account/two_factor_state.ts';
import { ContactAddresses } from '../../account_recovery/contact_address.ts';
import { RecoveryContacts } from '../../account_recovery/recovery_contacts.ts';
import { RecoveryVotes } from '../../account_recovery/recovery_votes.ts';
import type { SharedServices } from './shared.ts';

export type AccountServices = ReturnType<typeof accountServices>;

/** The two-factor API. */
export function accountServices(shared: SharedServices) {
  const { config, storage } = shared;
  const parts: AccountDeps = {
    ...shared,
    store: storage.factors,
    recovery: shared,
  };
  const settings: AccountSettings = {
    recoveryCount: config.recovery.count,
    setupTtlMs: config.uia.sessionTtlMs,
  };
  const policy = new AccountPolicy({
    ...parts,
    policies: shared.policies,
    devicePasswords: shared.devicePasswords,
  });
  const setUps = new SetUps(parts, settings, policy);
  return {
    state: new TwoFactorState(parts),
    setUp: new SetUp(parts, setUps),
    setUpConfirmation: new SetUpConfirmation(parts, setUps),
    authenticatorRemoval: new AuthenticatorRemoval(parts, policy),
    recoveryCodes: new RecoveryCodes(parts, settings, policy),
    authenticatorNames: new AuthenticatorNames(parts),
    ownHistory: new OwnHistory(parts),
    accountPolicy: policy,
    recoveryVotes: new RecoveryVotes({ ...shared, endings: shared.recovery.endings }, config.accountRecovery),
    recoveryContacts: new RecoveryContacts(
      shared,
      new ContactAddresses({ ...shared, notify: () => config.notify }),
      config.accountRecovery,
    ),
    enrolments: new Enrolment(shared, setUps, shared.audit),
    replacement: new Replacement(shared, setUps, shared),
    recoverySetUp: new RecoverySetUp(shared, setUps, { ...shared, telling: shared.recovery.telling }),
  };
}
