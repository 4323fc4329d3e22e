import type { Audit } from '../audit/audit.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { removingAllFactors } from '../storage/tables/factor_changes.ts';
import { clearLanes, lanesOf } from '../storage/tables/lanes.ts';

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
}

/** What is written in the commit of an act, made of its result: the answer that is kept for an equal request. */
export type AlsoWritten<Result> = (result: Result) => Write;

export const NOTHING_MORE: AlsoWritten<unknown> = () => [];

/** No ground is longer, in characters: the audit keeps it for long. */
export const LONGEST_GROUND = 1000;

/** The grounds as the audit keeps them. */
export function groundsDetail({ reason, verifiedBy }: Grounds) {
  return { reason, verified_by: verifiedBy };
}

/**
 * Removes every factor of a user and ends a recovery that runs, and puts it on record in the same commit.
 * @returns how many authenticators there were
 */
export async function resetUser(
  userId: string,
  grounds: Grounds,
  { storage, audit, by, endingRecovery }: ResetDeps,
  also: AlsoWritten<number> = NOTHING_MORE,
): Promise<number> {
  const { length: authenticators } = await storage.factors.authenticators(userId);
  const detail = { authenticators, ...groundsDetail(grounds) };
  await storage.commit(
    [userId],
    [
      audit.recorded({ userId, event: 'operator.reset', actor: by, detail }),
      removingAllFactors(userId),
      await endingRecovery(userId, by),
      also(authenticators),
    ],
  );
  return authenticators;
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
