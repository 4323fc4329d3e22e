import { SessionLeases } from '../../guard/homeserver_stages.ts';
import { PasswordSessions } from '../../guard/password_sessions.ts';
import { ThrottleRecord } from '../../limits/throttle_record.ts';
import { TokenOwners } from '../../second_factor/caller.ts';
import { Challenges } from '../../second_factor/challenges.ts';
import { CodeStep } from '../../second_factor/code_step.ts';
import { HeldLogins } from '../../second_factor/held_logins.ts';
import { PresentedCodes } from '../../second_factor/presented.ts';
import { RecoveredHolds } from '../../second_factor/recovered_holds.ts';
import { UiaEngine } from '../../uia/engine.ts';
import { basicServices } from './basics.ts';
import type { Foundations } from './foundations.ts';

export type SharedServices = ReturnType<typeof sharedServices>;

/** What the doors share: there is one of each, as limits, queues and sessions must be the same for all doors. */
export function sharedServices(foundations: Foundations) {
  const basics = basicServices(foundations);
  const { storage, homeserver, clock, audit, factors, lanes, addressLimit, deviceLimit } = basics;
  const engine = sessionEngine(foundations);
  const throttleRecord = new ThrottleRecord(audit, clock);
  const { recovery } = basics;
  const codeStep = new CodeStep({
    ...{ storage, engine, lanes, addressLimit, throttleRecord, audit },
    whenAccepted: async (userId, client) =>
      recovery.enabled ? recovery.endings.byFactor(userId, client) : [],
  });
  const presented = new PresentedCodes(factors);
  const leases = new SessionLeases(basics);
  const ownerSessions = {
    engine,
    secondFactors: factors,
    standings: basics.standings,
    codes: { presented, step: codeStep },
    passwordSessions: new PasswordSessions(homeserver, clock, canBeWithoutPassword(foundations)),
    limits: { address: addressLimit, device: deviceLimit },
    leases,
    ways: basics.ways,
    stepUps: basics.stepUps,
  };
  const holds = heldLogins(foundations);
  return {
    ...basics,
    secondFactors: factors,
    presented,
    holds,
    recoveredHolds: new RecoveredHolds({ ...foundations, holds }),
    challenges: new Challenges({ factors, engine, storage }),
    codeStep,
    engine,
    leases,
    ownerSessions,
    tokenOwners: new TokenOwners(homeserver, engine),
  };
}

/** Where we can log such accounts in without one, and have the pages on which single sign-on says who they are. */
function canBeWithoutPassword({ config }: Foundations): boolean {
  return config.homeserver.appservice !== undefined && config.login.sso;
}

function heldLogins(foundations: Foundations): HeldLogins {
  const { login, uia, limits } = foundations.config;
  return new HeldLogins(foundations, {
    holdTtlMs: login.holdTtlMs,
    maximum: uia.maxSessions,
    allowance: limits.signInPerUser,
  });
}

function sessionEngine({ config, storage, vault, clock, random }: Foundations): UiaEngine {
  return new UiaEngine(
    { store: storage.sessions, vault, clock, random },
    {
      lifetimeMs: config.uia.sessionTtlMs,
      maxSessions: config.uia.maxSessions,
      get failureLimit() {
        return config.limits.sessionFailures;
      },
    },
  );
}
