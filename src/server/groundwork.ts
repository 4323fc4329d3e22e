import { Audit } from '../audit/audit.ts';
import type { Config } from '../config/config.ts';
import type { Factors } from '../factors/factors.ts';
import { type CreateFactor, createFactors } from '../factors/list.ts';
import { hashingQueue, RecoveryHasher } from '../factors/recovery/recovery_hasher.ts';
import type { TotpSettings } from '../factors/totp/totp_settings.ts';
import { SessionLeases } from '../guard/onward.ts';
import type { OwnerSessionDeps } from '../guard/owner_session.ts';
import { PasswordSessions } from '../guard/password_sessions.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { AddressLimit } from '../limits/address_limit.ts';
import { DeviceLimit } from '../limits/device_limit.ts';
import { Lanes } from '../limits/lanes.ts';
import { ThrottleRecord } from '../limits/throttle_record.ts';
import { AppserviceTokens } from '../second_factor/appservices.ts';
import { TokenOwners } from '../second_factor/caller.ts';
import type { OfferedWays } from '../second_factor/challenge_answer.ts';
import { Challenges } from '../second_factor/challenges.ts';
import { CodeStep } from '../second_factor/code_step.ts';
import { FreshLogins } from '../second_factor/fresh_logins.ts';
import { Passes } from '../second_factor/passes.ts';
import { PresentedCodes } from '../second_factor/presented.ts';
import { SecondFactors } from '../second_factor/second_factors.ts';
import { Standings } from '../second_factor/standing.ts';
import type { Storage } from '../storage/stores.ts';
import type { LiveProcesses } from '../storage/tables/processes.ts';
import { type Clock, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { RandomSource } from '../system/random.ts';
import { UiaEngine } from '../uia/engine.ts';
import type { MarkKeeper } from '../vault/mark_keeper.ts';
import type { Vault } from '../vault/vault.ts';

/** What everything is made of. */
export interface Foundations {
  readonly config: Config;
  readonly storage: Storage;
  readonly processes: LiveProcesses;
  readonly vault: Vault;
  readonly mark: MarkKeeper;
  readonly homeserver: Homeserver;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly log: Log;
  /** Those that are not in the list. */
  readonly furtherFactors: readonly CreateFactor[];
}

/** What the rooms share: there is one of each, as limits, queues and sessions must be the same for all doors. */
export interface Groundwork extends Foundations {
  readonly audit: Audit;
  readonly totp: TotpSettings;
  readonly ways: OfferedWays;
  readonly hasher: RecoveryHasher;
  readonly factors: Factors;
  readonly addressLimit: AddressLimit;
  readonly deviceLimit: DeviceLimit;
  readonly lanes: Lanes;
  readonly secondFactors: SecondFactors;
  readonly presented: PresentedCodes;
  readonly challenges: Challenges;
  readonly codeStep: CodeStep;
  readonly engine: UiaEngine;
  readonly leases: SessionLeases;
  readonly tokenOwners: TokenOwners;
  readonly ownerSessions: OwnerSessionDeps;
  readonly freshLogins: FreshLogins;
  readonly passes: Passes;
  readonly standings: Standings;
  readonly appservices: AppserviceTokens;
}

/** Builds on the foundations what the rooms share. */
export function layGroundwork(foundations: Foundations): Groundwork {
  const { config, storage, vault, homeserver, clock, random } = foundations;
  const freshLogins = new FreshLogins(storage, vault, clock);
  const audit = new Audit(storage.audit, clock);
  const totp = { ...config.totp, period: config.totp.periodMs / SECOND };
  const hasher = new RecoveryHasher(hashingQueue());
  const factors = createFactors(
    { storage, store: storage.factors, vault, clock, random: foundations.random, hasher, totp },
    foundations.furtherFactors,
  );
  const lanes = new Lanes(storage, vault);
  const addressLimit = new AddressLimit(config.limits.perAddress, clock);
  const deviceLimit = new DeviceLimit(clock);
  const secondFactors = new SecondFactors(storage.factors, factors);
  const engine = sessionEngine(foundations);
  const throttleRecord = new ThrottleRecord(audit, clock);
  const codeStep = new CodeStep({ storage, engine, lanes, addressLimit, throttleRecord, audit });
  const presented = new PresentedCodes(factors);
  const leases = new SessionLeases(storage, vault, clock);
  const ways = { appendedCode: config.login.appendedCode, pages: config.login.sso };
  const ownerSessions = {
    engine,
    secondFactors,
    codes: { presented, step: codeStep },
    passwordSessions: new PasswordSessions(homeserver, clock),
    limits: { address: addressLimit, device: deviceLimit },
    leases,
    ways,
  };
  return {
    ...foundations,
    audit,
    totp,
    ways,
    hasher,
    factors,
    addressLimit,
    deviceLimit,
    lanes,
    secondFactors,
    presented,
    challenges: new Challenges({ factors, engine, storage }),
    codeStep,
    engine,
    leases,
    ownerSessions,
    tokenOwners: new TokenOwners(homeserver, engine),
    freshLogins,
    passes: new Passes({ storage, freshLogins, clock, random }),
    standings: new Standings({ factors: storage.factors }),
    appservices: new AppserviceTokens(config.applicationServices),
  };
}

function sessionEngine({ config, storage, vault, clock, random }: Foundations): UiaEngine {
  return new UiaEngine(
    { store: storage.sessions, vault, clock, random },
    {
      lifetimeMs: config.uia.sessionTtlMs,
      maxSessions: config.uia.maxSessions,
      failureLimit: config.limits.sessionFailures,
    },
  );
}
