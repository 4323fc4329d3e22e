import type { Audit } from '../audit/audit.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { removingAllFactors } from '../storage/tables/factor_changes.ts';
import { clearLanes, lanesOf } from '../storage/tables/lanes.ts';
import { endOauthSessionsOf } from '../storage/tables/oauth_sessions.ts';

/** Why an operator helps a user, and how they know that it is the owner who asks. Both stay in the audit. */
export interface Grounds {
  readonly reason: string;
  readonly verifiedBy: string;
}

export interface HelpDeps {
  readonly storage: Storage;
  readonly audit: Audit;
  /** Who does it, where that is not the operator at the command line; the actor in the audit. */
  readonly by?: string | undefined;
}

export interface ResetDeps extends HelpDeps {
  /** What ends the recovery of the account that its owner has begun. */
  readonly endingRecovery: (userId: string, by: string | undefined) => Promise<Write>;
  /** What ends the device passwords of a user. */
  readonly endingDevicePasswords: (userId: string, by: string | undefined) => Promise<CountedEnd>;
}

/** What ends several things of a user, and how many there are. */
export interface CountedEnd {
  readonly count: number;
  readonly write: Write;
}

export interface ResetOrder {
  readonly grounds: Grounds;
  readonly revokeDevicePasswords: boolean;
}

/** How many of what a reset ended. */
export interface ResetDone {
  readonly authenticators: number;
  /** Without `revokeDevicePasswords` none. */
  readonly devicePasswords: number;
}

/** What is written in the commit of an act, made of its result: the answer that is kept for an equal request. */
export type AlsoWritten<Result> = (result: Result) => Write;

export const NOTHING_MORE: AlsoWritten<unknown> = () => [];

const NONE_ENDED: CountedEnd = { count: 0, write: [] };

/** No ground is longer, in characters: the audit keeps it for long. */
export const LONGEST_GROUND = 1000;

/** The grounds as the audit keeps them. */
export function groundsDetail({ reason, verifiedBy }: Grounds) {
  return { reason, verified_by: verifiedBy };
}

/**
 * Removes every factor of a user, ends a recovery that runs, their OAuth sessions and, where that is wished, their device
 * passwords, and puts it on record, all in one commit: of what is to be ended nothing stays where the process dies.
 */
export async function resetUser(
  userId: string,
  { grounds, revokeDevicePasswords }: ResetOrder,
  { storage, audit, by, endingRecovery, endingDevicePasswords }: ResetDeps,
  also: AlsoWritten<ResetDone> = NOTHING_MORE,
): Promise<ResetDone> {
  const { length: authenticators } = await storage.factors.authenticators(userId);
  const revoked = revokeDevicePasswords ? await endingDevicePasswords(userId, by) : NONE_ENDED;
  const done = { authenticators, devicePasswords: revoked.count };
  const detail = { authenticators, ...groundsDetail(grounds) };
  await storage.commit(
    [userId],
    [
      audit.recorded({ userId, event: 'operator.reset', actor: by, detail }),
      removingAllFactors(userId),
      await endingRecovery(userId, by),
      revoked.write,
      // Their logins are logged out by the next sweep of a running proxy.
      endOauthSessionsOf(userId, { because: 'operator', logout: 'due' }),
      also(done),
    ],
  );
  return done;
}

/**
 * Ends the waits of a user, and puts it on record in the same commit.
 * @returns how many wrong codes there had been
 */
export async function unlockUser(
  userId: string,
  reason: string | undefined,
  { storage, audit, by }: HelpDeps,
  also: AlsoWritten<number> = NOTHING_MORE,
): Promise<number> {
  const states = await storage.read(lanesOf(userId));
  const failures = states.reduce((sum, state) => sum + state.failures, 0);
  const detail = { failures, ...(reason === undefined ? {} : { reason }) };
  await storage.commit(
    [userId],
    [
      audit.recorded({ userId, event: 'operator.unlock', actor: by, detail }),
      clearLanes(userId),
      also(failures),
    ],
  );
  return failures;
}
