import { Pruning } from '../audit/pruning.ts';
import { Discovery } from '../discovery/discovery.ts';
import { Probes } from '../discovery/probes.ts';
import { Readiness } from '../discovery/readiness.ts';
import type { OauthSwitch } from '../oauth/oauth_switch.ts';
import { Reminders } from '../policy/reminders.ts';
import { HourlyLease } from '../storage/hourly_lease.ts';
import { systemPause } from '../system/pause.ts';
import { accountServices } from './compose/account.ts';
import { recoveryClock } from './compose/account_recovery.ts';
import type { Foundations } from './compose/foundations.ts';
import { guardServices } from './compose/guard.ts';
import { loginServices } from './compose/login.ts';
import { oauthServices } from './compose/oauth.ts';
import { oauthDoor } from './compose/oauth_door.ts';
import { pageServices } from './compose/pages.ts';
import { type SharedServices, sharedServices } from './compose/shared.ts';

/** All that answers requests; `handlers.ts` says which of it answers which route. */
export type Services = ReturnType<typeof compose>;

/**
 * Puts together what answers requests, from the configuration. This file and those in `compose/`, one for
 * each door, alone make services.
 */
export function compose(foundations: Foundations) {
  const shared = sharedServices(foundations);
  const login = loginServices(shared);
  const account = accountServices(shared);
  const guarding = guardServices(shared);
  const door = oauthDoor(shared);
  const { storage, homeserver, processes } = shared;
  return {
    ...login,
    ...account,
    ...guarding,
    ...pageServices(shared, { ...login, ...guarding }, account),
    ...oauthServices(shared, login, door),
    ...door,
    discovery: discovery(shared, door.oauthSwitch),
    readiness: new Readiness(storage, homeserver),
    probes: new Probes({ storage, process: processes.id, pause: systemPause }),
    hasher: shared.hasher,
    audit: shared.audit,
    seenUsers: shared.seenUsers,
    pruning: new Pruning({
      ...shared,
      storage: shared.aside,
      holder: processes.id,
      settings: foundations.config.audit,
    }),
    reminders: remindersOf(shared),
    recoveryClock: recoveryClock(shared),
    recoveryEndings: shared.recovery.endings,
    devicePasswordEnds: shared.devicePasswordEnds,
    owedWrites: shared.owedWrites,
    challenges: shared.challenges,
    factors: shared.factors,
  };
}

function remindersOf(shared: SharedServices): Reminders {
  const { aside: storage, processes } = shared;
  const lease = new HourlyLease({ ...shared, storage, holder: processes.id }, 'policy reminders');
  return new Reminders({ ...shared, storage, lease, policy: () => shared.config.policy });
}

function discovery({ homeserver, config }: SharedServices, oauth: OauthSwitch): Discovery {
  const { name, preferred } = config.sso;
  const ownProvider = {
    name,
    // While the door is open the specification demands it (client-server API, "OAuth 2.0 aware clients").
    get preferred() {
      return preferred ?? oauth.isOpen;
    },
  };
  return new Discovery(homeserver, config.publicBaseUrl, config.login.sso ? ownProvider : undefined);
}
