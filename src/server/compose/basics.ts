import { Audit } from '../../audit/audit.ts';
import { chainSeals } from '../../audit/macs.ts';
import { DevicePasswordEnds } from '../../device_passwords/ends.ts';
import { createFactors, factorSettings } from '../../factors/list.ts';
import { hashingQueue, RecoveryHasher } from '../../factors/recovery/recovery_hasher.ts';
import { AddressLimit, DeviceLimit } from '../../limits/attempt_limit.ts';
import { Lanes } from '../../limits/lanes.ts';
import { Outbox } from '../../notify/outbox.ts';
import { Policies } from '../../policy/policies.ts';
import { AppserviceTokens } from '../../second_factor/appservices.ts';
import { pageUrls } from '../../second_factor/challenge_answer.ts';
import { FreshLogins } from '../../second_factor/fresh_logins.ts';
import { OAuthSessions } from '../../second_factor/oauth_sessions.ts';
import { OwedEnrolment } from '../../second_factor/owed_enrolment.ts';
import { Passes } from '../../second_factor/passes.ts';
import { Standings } from '../../second_factor/standing.ts';
import { StepUps } from '../../second_factor/step_ups.ts';
import { Chain } from '../../storage/chain.ts';
import { OwedWrites } from '../../storage/owed_writes.ts';
import { SeenUsers } from '../seen_users.ts';
import type { Foundations } from './foundations.ts';
import { recoveryParts } from './recovery_parts.ts';

/** What needs nothing but the foundations. */
export function basicServices(foundations: Foundations) {
  const { config, storage, vault, clock, random } = foundations;
  const { factors, ...judging } = factorServices(foundations);
  const { audit, policies } = judging;
  const freshLogins = new FreshLogins(storage, vault, clock);
  const standings = new Standings({ factors: storage.factors, policies });
  return {
    ...foundations,
    ...judging,
    factors,
    recovery: recoveryParts(foundations, { audit, standings }),
    freshLogins,
    seenUsers: new SeenUsers({ storage, clock, log: foundations.log }),
    ways: {
      appendedCode: config.login.appendedCode,
      pages: config.login.sso,
      ...pageUrls(config.publicBaseUrl),
    },
    lanes: new Lanes(storage, vault),
    addressLimit: new AddressLimit(config.limits.perAddress, clock),
    deviceLimit: new DeviceLimit(clock),
    passes: new Passes({ storage, freshLogins, clock, random }),
    devicePasswords: config.devicePasswords,
    devicePasswordEnds: new DevicePasswordEnds({ storage, audit }),
    oauthSessions: new OAuthSessions({ ...foundations, audit }),
    owedWrites: new OwedWrites(foundations.log),
    stepUps: new StepUps({
      storage,
      stepUpMs: config.account.stepUpMs,
      publicBaseUrl: config.publicBaseUrl,
    }),
    standings,
    enrolment: new OwedEnrolment(config.publicBaseUrl, { factors, policies }),
    appservices: new AppserviceTokens(() => config.applicationServices),
  };
}

/** The factors, and who must have one. */
function factorServices({
  config,
  storage,
  vault,
  clock,
  machineClock,
  random,
  furtherFactors,
}: Foundations) {
  const hasher = new RecoveryHasher(hashingQueue());
  const outbox = new Outbox({ notify: () => config.notify, random });
  const audit = new Audit({
    ...{ storage, clock, chain: new Chain(chainSeals(vault)) },
    consequences: (record) => outbox.consequencesOf(record),
  });
  const policies = new Policies({ storage, audit }, () => config.policy);
  const factorDeps = {
    ...{ storage, store: storage.factors, vault, random, hasher, ...factorSettings(config) },
    clock: machineClock,
    mayHaveCodes: (userId: string) => policies.mayHaveCodes(userId),
  };
  return { audit, factors: createFactors(factorDeps, furtherFactors), hasher, policies };
}
