import { LONGEST_WAIT_MS, type RecoveryBegin } from '../account_recovery/begin.ts';
import type { Eligibility } from '../account_recovery/eligibility.ts';
import type { RecoveryEndings } from '../account_recovery/endings.ts';
import type { CalendarOf } from '../account_recovery/frozen_calendar.ts';
import type { Recipient, Recipients } from '../account_recovery/recipients.ts';
import type { RecoveringUser } from '../account_recovery/seams.ts';
import { type RecoveryStanding, standingOf } from '../account_recovery/standing.ts';
import type { Telling } from '../account_recovery/telling.ts';
import type { AccountRecoveryConfig } from '../config/config.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Addresses } from '../notify/addresses.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { Storage } from '../storage/storage.ts';
import { findNextWait, findRunningRecovery } from '../storage/tables/recovery_requests.ts';
import type { PageSessions } from './page_sessions.ts';

/** What a request would be. */
export interface OfferedRecovery {
  readonly is: 'offered';
  readonly waitMs: number;
  /** The wait with a recovery code given along; undefined where none is taken. */
  readonly vouchedWaitMs: number | undefined;
  /** Whether days off stop the clock. */
  readonly hasDaysOff: boolean;
  readonly endsOnUse: boolean;
  /** Whom it would tell. */
  readonly recipients: readonly Recipient[];
  /** Other devices of the account; undefined where the homeserver did not say. */
  readonly devices: number | undefined;
}

/** What a person who has given the password can do now. */
export type RecoveryOffer =
  | OfferedRecovery
  | { readonly is: 'running'; readonly standing: RecoveryStanding }
  /** So many were begun that the next one has to wait. */
  | { readonly is: 'too_often' }
  /** The policy, or what kind of account it is, says no. */
  | { readonly is: 'not_here' }
  /** There is no second factor to be without. */
  | { readonly is: 'no_factor' };

/** What came of beginning. `not_offered`: nothing can be begun; the page shows why. */
export type BegunOnPage =
  | { readonly is: 'begun'; readonly claimCode: string; readonly opensTs: number }
  | { readonly is: 'wrong_voucher' }
  | { readonly is: 'not_offered' };

export interface PageRecoveryDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly sessions: PageSessions;
  readonly holds: Pick<HeldLogins, 'open'>;
  readonly homeserver: Homeserver;
  readonly addresses: Pick<Addresses, 'beforeChange'>;
  readonly settings: AccountRecoveryConfig;
  readonly recovery: {
    readonly eligibility: Eligibility;
    readonly begin: RecoveryBegin;
    readonly endings: RecoveryEndings;
    readonly recipients: Recipients;
    readonly telling: Telling;
    readonly calendarOf: CalendarOf;
  };
}

/** The recovery of an account as its page sees it: by a sign-in of the page whose password was right. */
export class PageRecovery {
  constructor(private readonly deps: PageRecoveryDeps) {}

  /** Undefined: the sign-in has ended. @throws Refusal if the homeserver does not answer */
  async offerFor(request: ClientRequest, session: string): Promise<RecoveryOffer | undefined> {
    const user = await this.userOf(request, session);
    if (user === undefined) return undefined;
    try {
      // Asked of a request that runs, too: the operator may have forbidden it since.
      await this.deps.recovery.eligibility.require(user);
    } catch (error) {
      return notOffered(error);
    }
    const standing = await this.runningFor(user.userId);
    return standing === undefined ? this.offer(user) : { is: 'running', standing };
  }

  /** Whether this account may be recovered still; the page shows what is. @throws Refusal if the homeserver does not answer */
  async isStillAllowed(request: ClientRequest, session: string): Promise<boolean> {
    return (await this.offerFor(request, session))?.is === 'running';
  }

  /** Undefined: the sign-in has ended. @throws Refusal limit_exceeded, or if the homeserver does not answer */
  async begin(request: ClientRequest, session: string, voucher: string): Promise<BegunOnPage | undefined> {
    const user = await this.userOf(request, session);
    if (user === undefined) return undefined;
    const { begin, calendarOf } = this.deps.recovery;
    try {
      const begun = await begin.begin(user, voucher === '' ? undefined : voucher);
      if (begun.is === 'running') return { is: 'not_offered' };
      const { opensTs } = standingOf(begun.request, calendarOf);
      return { is: 'begun', claimCode: begun.claimCode, opensTs };
    } catch (error) {
      if (error instanceof Refusal && error.refusal === 'wrong_voucher') return { is: 'wrong_voucher' };
      notOffered(error);
      return { is: 'not_offered' };
    }
  }

  /** The request of a user that waits or is open. */
  async runningFor(userId: string): Promise<RecoveryStanding | undefined> {
    const [running] = await this.deps.storage.read(findRunningRecovery(userId));
    return running && standingOf(running, this.deps.recovery.calendarOf);
  }

  /** Stops what runs for the user of a sign-in. False: there was nothing, or the sign-in has ended. */
  async stop({ client }: ClientRequest, session: string): Promise<boolean> {
    const found = await this.deps.sessions.find(session);
    const userId = found?.session.binding.userId;
    const running = userId === undefined ? undefined : await this.runningFor(userId);
    if (running === undefined) return false;
    return this.deps.recovery.endings.cancel(running, { by: 'code_page', client });
  }

  private async offer(user: RecoveringUser): Promise<RecoveryOffer> {
    const { storage, settings, homeserver, addresses, recovery } = this.deps;
    const { userId, grant, client } = user;
    const [next] = await storage.read(
      findNextWait(userId, { waitMs: settings.waitMs, longestMs: LONGEST_WAIT_MS }),
    );
    if (next === undefined) return { is: 'too_often' };
    await grant.learnAddresses(addresses, client);
    const channels = recovery.telling.channels();
    const { calendar, vouch } = settings;
    return {
      is: 'offered',
      waitMs: next.waitMs,
      vouchedWaitMs: vouch.enabled ? Math.min(vouch.waitMs, next.waitMs) : undefined,
      hasDaysOff: calendar.workWeek.length < 7 || calendar.holidays !== undefined,
      endsOnUse: settings.onSessionUse === 'cancel',
      recipients: (await recovery.recipients.of(userId)).filter(({ channel }) => channels.includes(channel)),
      devices: await grant.countOtherDevices(homeserver, client),
    };
  }

  private async userOf({ client }: ClientRequest, session: string): Promise<RecoveringUser | undefined> {
    const found = await this.deps.sessions.find(session);
    if (found?.hold === undefined) return undefined;
    const { grant } = this.deps.holds.open(found.hold);
    return { userId: found.hold.userId, grant, client };
  }
}

/** @throws the error, if it is about something else */
function notOffered(error: unknown): Extract<RecoveryOffer, { is: 'too_often' | 'not_here' | 'no_factor' }> {
  if (!(error instanceof Refusal)) throw error;
  switch (error.refusal) {
    case 'too_many_recoveries':
      return { is: 'too_often' };
    case 'recovery_forbidden':
      return { is: 'not_here' };
    case 'not_enrolled':
      return { is: 'no_factor' };
    default:
      throw error;
  }
}
