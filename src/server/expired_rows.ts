import { CONTACT_LINKS } from '../account_recovery/contact_address.ts';
import { PLACES_KEPT_MS } from '../limits/lanes.ts';
import { GONE_KEPT_MS } from '../notify/addresses.ts';
import { REGISTRATIONS } from '../oauth/registration.ts';
import { TYPED_USER_CODES } from '../pages/link/link_targets.ts';
import { dropInParts } from '../storage/dropping.ts';
import type { HourlyLease } from '../storage/hourly_lease.ts';
import type { Storage } from '../storage/storage.ts';
import { dropOldAnswers } from '../storage/tables/admin_answers.ts';
import { type AllowanceRate, dropFullAllowances } from '../storage/tables/allowances.ts';
import { dropEndedChallenges } from '../storage/tables/challenges.ts';
import { dropEndedEmergencyCodes } from '../storage/tables/emergency_codes.ts';
import { dropEndedFactorTokens } from '../storage/tables/factor_tokens.ts';
import { dropOldPlaces } from '../storage/tables/known_places.ts';
import { dropIdleLanes } from '../storage/tables/lanes.ts';
import { dropEndedLeases } from '../storage/tables/leases.ts';
import { dropGoneAddresses } from '../storage/tables/notice_owners.ts';
import { pruneClients } from '../storage/tables/oauth_clients.ts';
import { pruneGrants } from '../storage/tables/oauth_grants.ts';
import { pruneOauthSessions } from '../storage/tables/oauth_sessions.ts';
import { dropOldVisits } from '../storage/tables/visits.ts';
import { endWrongTimes } from '../storage/tables/wrong_times.ts';
import { DAY, MINUTE } from '../system/clock.ts';

/** Those who wait for the outcome of a lease look several times a second. */
const LEASES_KEPT_MS = MINUTE;
/** Lanes without an attempt for so long have their whole budget, and their places are forgotten. */
const LANES_KEPT_MS = PLACES_KEPT_MS;
/** Apps that registered and have neither a session nor a grant under way. */
const CLIENTS_KEPT_MS = DAY;

/** The rows of which nothing is needed any more. */
export class ExpiredRows {
  constructor(
    private readonly deps: {
      readonly storage: Storage;
      readonly clientsLease: Pick<HourlyLease, 'take'>;
      /** How many logins a user may have waiting, as it is now. */
      readonly allowance: () => AllowanceRate;
      /** How long a set-up waits for its first code. */
      readonly setupMs: number;
    },
  ) {}

  /** Ends what a clock that was ahead has left: what has ended by it is dropped or logged out in the same round. */
  endWrongTimes(): Promise<void> {
    return dropInParts(this.deps.storage, endWrongTimes(this.deps.setupMs));
  }

  async drop(): Promise<void> {
    const { storage, allowance } = this.deps;
    const { factors, sessions, loginTokens, signInTokens, freshLogins } = storage;
    await Promise.all([
      this.pruneClients(),
      factors.dropExpiredSetups(),
      sessions.dropExpired(),
      loginTokens.dropExpired(),
      signInTokens.dropExpired(),
      freshLogins.dropExpired(),
      dropInParts(storage, [
        dropEndedLeases(LEASES_KEPT_MS),
        dropFullAllowances(allowance(), REGISTRATIONS, TYPED_USER_CODES, ...CONTACT_LINKS),
        dropOldPlaces(PLACES_KEPT_MS),
        dropIdleLanes(LANES_KEPT_MS),
        dropEndedChallenges(),
        dropEndedEmergencyCodes(),
        ...dropEndedFactorTokens(),
        dropGoneAddresses(GONE_KEPT_MS),
        dropOldAnswers(),
        dropOldVisits(),
        ...pruneGrants(),
        pruneOauthSessions(),
      ]),
    ]);
  }

  /** By one process, once an hour: each client is looked at. */
  private async pruneClients(): Promise<void> {
    const { clientsLease, storage } = this.deps;
    if (await clientsLease.take()) await dropInParts(storage, [pruneClients(CLIENTS_KEPT_MS)]);
  }
}
