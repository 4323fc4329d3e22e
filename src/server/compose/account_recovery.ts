import { RecoveryBegin } from '../../account_recovery/begin.ts';
import { RecoveryClock } from '../../account_recovery/clock.ts';
import { Eligibility } from '../../account_recovery/eligibility.ts';
import { PublicNotice } from '../../account_recovery/public_notice.ts';
import { SessionUse } from '../../account_recovery/session_use.ts';
import { VotersAsked } from '../../account_recovery/voters_asked.ts';
import { Vouchers } from '../../account_recovery/vouchers.ts';
import type { PageLogin } from '../../login/page_login.ts';
import { PageRecovery } from '../../login/page_recovery.ts';
import type { PageSessions } from '../../login/page_sessions.ts';
import { RecoveryClaims } from '../../login/recovery_claims.ts';
import { RecoveryDoor } from '../../login/recovery_door.ts';
import type { SharedServices } from './shared.ts';

/** How a recovery is begun, and its claim code taken: by a client, and on a page. */
export function recoveryServices(shared: SharedServices, login: PageLogin, sessions: PageSessions) {
  const { config, recovery } = shared;
  const eligibility = new Eligibility(shared);
  const vouchers = new Vouchers({ ...shared, enabled: config.accountRecovery.vouch.enabled });
  const settings = config.accountRecovery;
  const voters = new VotersAsked({ ...shared, notify: () => config.notify, settings });
  const { telling } = recovery;
  const begin = new RecoveryBegin(
    { ...shared, codes: shared, eligibility, vouchers, telling, voters },
    settings,
  );
  const parts = { ...recovery, eligibility, begin };
  return {
    recoveryBegin: begin,
    recoveryClaims: new RecoveryClaims({ ...shared, sessions, codes: shared }),
    recoveryDoor: new RecoveryDoor({ ...shared, login, recovery: parts }),
    pageRecovery: new PageRecovery({
      ...{ ...shared, sessions, recovery: parts },
      settings: config.accountRecovery,
    }),
  };
}

export function recoveryClock(shared: SharedServices): RecoveryClock {
  const { aside: storage, config, recovery, ticks, log } = shared;
  const registration = config.homeserver.appservice;
  return new RecoveryClock({
    ...{ storage, audit: shared.audit, ...recovery, settings: config.accountRecovery },
    upstream: {
      sessionUse: new SessionUse({ ...shared, registration }),
      publicNotice: new PublicNotice({
        ...{ ...shared, storage, registration },
        isOn: config.accountRecovery.publicNotice,
      }),
    },
    time: { ticks, calendarOf: recovery.calendarOf, log },
  });
}
