import type { RecoveryClock } from '../account_recovery/clock.ts';
import { CONTACT_LINKS } from '../account_recovery/contact_address.ts';
import type { Audit } from '../audit/audit.ts';
import type { Pruning } from '../audit/pruning.ts';
import { PLACES_KEPT_MS } from '../limits/lanes.ts';
import type { HoldSweeper } from '../login/hold_sweeper.ts';
import { GONE_KEPT_MS } from '../notify/addresses.ts';
import type { OauthSwitch } from '../oauth/oauth_switch.ts';
import { REGISTRATIONS } from '../oauth/registration.ts';
import { TYPED_USER_CODES } from '../pages/link/link_page.ts';
import type { Reminders } from '../policy/reminders.ts';
import { dropInParts } from '../storage/dropping.ts';
import { StoreUnavailable } from '../storage/errors.ts';
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
import type { LiveProcesses } from '../storage/tables/processes.ts';
import { dropOldVisits } from '../storage/tables/visits.ts';
import { endWrongTimes } from '../storage/tables/wrong_times.ts';
import { DAY, MINUTE } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { programVersion } from '../system/version.ts';
import type { MarkKeeper } from '../vault/mark_keeper.ts';
import type { Services } from './compose.ts';
import type { Opened } from './open.ts';

/** Those who wait for the outcome of a lease look several times a second. */
const LEASES_KEPT_MS = MINUTE;
/** Lanes without an attempt for so long have their whole budget, and their places are forgotten. */
const LANES_KEPT_MS = PLACES_KEPT_MS;
/** Apps that registered and have neither a session nor a grant under way. */
const CLIENTS_KEPT_MS = DAY;

/** What has to be done from time to time, without a request. */
export class Housekeeping {
  private timer: NodeJS.Timeout | undefined;
  private isOnRecord = false;
  private underWay: Promise<void> | undefined;

  constructor(
    private readonly deps: {
      readonly storage: Storage;
      readonly sweeper: HoldSweeper;
      readonly pageSessionSweep: { sweep(): Promise<number> };
      readonly devicePasswordSweep: { sweep(): Promise<number> };
      readonly oauthSessionSweep: { sweep(): Promise<number> };
      readonly keys: { refresh(): Promise<void> };
      readonly mark: MarkKeeper;
      readonly processes: LiveProcesses;
      readonly audit: Audit;
      readonly pruning: Pick<Pruning, 'inTime'>;
      readonly reminders: Pick<Reminders, 'round'>;
      readonly recoveryClock: Pick<RecoveryClock, 'round'>;
      readonly oauthSwitch: Pick<OauthSwitch, 'round'>;
      readonly oauthClientsLease: Pick<HourlyLease, 'take'>;
      readonly log: Log;
      /** How many logins a user may have waiting, as it is now. */
      readonly allowance: () => AllowanceRate;
      /** How long a set-up waits for its first code. */
      readonly setupMs: number;
    },
  ) {}

  /**
   * Marks the database, lets other processes see this one before it serves, and puts on record that it does; if the
   * store is away, later.
   */
  async enter(): Promise<void> {
    const { mark, processes } = this.deps;
    await ifThere(async () => {
      await mark.keep();
      await processes.announce();
      await this.recordStart();
    });
  }

  /** Other processes no longer have to take this one into account. */
  leave(): Promise<void> {
    return ifThere(async () => {
      if (this.isOnRecord) await this.deps.audit.record({ event: 'serve.stopped' });
      await this.deps.processes.leave();
    });
  }

  start(everyMs: number): void {
    this.timer = setInterval(() => void this.roundQuietly(), everyMs);
    this.timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.underWay?.catch(() => undefined);
  }

  /**
   * One round: the keys are read again, the database is marked, ended holds, page sessions, device passwords and OAuth sessions are logged out, expired
   * rows dropped.
   * A homeserver that is slow to log out delays no later round.
   */
  async round(): Promise<void> {
    this.underWay ??= this.tidy().finally(() => {
      this.underWay = undefined;
    });
    await this.underWay;
    const { sweeper, pageSessionSweep, devicePasswordSweep, oauthSessionSweep } = this.deps;
    const sweeps = [sweeper, pageSessionSweep, devicePasswordSweep, oauthSessionSweep];
    await Promise.all(sweeps.map((each) => each.sweep()));
  }

  private async roundQuietly(): Promise<void> {
    try {
      await this.round();
    } catch (error) {
      this.deps.log.warn({ err: error }, 'housekeeping failed; trying again');
    }
  }

  private async tidy(): Promise<void> {
    const { factors, sessions, loginTokens, signInTokens, freshLogins } = this.deps.storage;
    // First, so that what has ended is dropped or logged out in the same round.
    await dropInParts(this.deps.storage, endWrongTimes(this.deps.setupMs));
    await Promise.all([
      this.refreshKeys(),
      this.deps.mark.keep(),
      this.deps.processes.announce(),
      this.recordStart(),
      this.deps.pruning.inTime(this.deps.audit),
      this.deps.reminders.round(),
      this.deps.recoveryClock.round(),
      this.deps.oauthSwitch.round(),
      this.pruneClients(),
      factors.dropExpiredSetups(),
      sessions.dropExpired(),
      loginTokens.dropExpired(),
      signInTokens.dropExpired(),
      freshLogins.dropExpired(),
      dropInParts(this.deps.storage, [
        dropEndedLeases(LEASES_KEPT_MS),
        dropFullAllowances(this.deps.allowance(), REGISTRATIONS, TYPED_USER_CODES, ...CONTACT_LINKS),
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
    const { oauthClientsLease, storage } = this.deps;
    if (await oauthClientsLease.take()) await dropInParts(storage, [pruneClients(CLIENTS_KEPT_MS)]);
  }

  private async recordStart(): Promise<void> {
    if (this.isOnRecord) return;
    await this.deps.audit.record({ event: 'serve.started', detail: { version: programVersion() } });
    this.isOnRecord = true;
  }

  /** Keys that cannot be read now do not stop sign-ins: the known ones stay in use. */
  private async refreshKeys(): Promise<void> {
    try {
      await this.deps.keys.refresh();
    } catch (error) {
      this.deps.log.warn({ err: error }, 'the keys could not be read again');
    }
  }
}

async function ifThere(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
  }
}

export function housekeepingOf({ keys, foundations }: Opened, services: Services): Housekeeping {
  const { sweeper, pageSessionSweep, devicePasswordSweep, oauthSessionSweep } = services;
  const { audit, pruning, reminders, recoveryClock, oauthSwitch, oauthClientsLease } = services;
  const { aside, mark, processes, log, config } = foundations;
  return new Housekeeping({
    ...{ sweeper, pageSessionSweep, devicePasswordSweep, oauthSessionSweep },
    ...{ audit, pruning, reminders, recoveryClock },
    ...{ storage: aside, keys, mark, processes, log, setupMs: config.uia.sessionTtlMs },
    ...{ oauthSwitch, oauthClientsLease },
    allowance: () => config.limits.signInPerUser,
  });
}
