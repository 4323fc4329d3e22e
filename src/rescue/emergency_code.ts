import { newRecoverySet, type RecoverySetDeps } from '../factors/recovery/new_recovery_set.ts';
import { when } from '../storage/statement.ts';
import { putEmergencyCode } from '../storage/tables/emergency_codes.ts';
import { HOUR } from '../system/clock.ts';
import { type AlsoWritten, type Grounds, groundsDetail, type HelpDeps } from './help.ts';

/** How long an emergency code is good, unless the operator says so. */
export const USUAL_VALIDITY_MS = 24 * HOUR;
export const LONGEST_VALIDITY = '7d';

/** What is told of a code, once: only its hash is kept. */
export interface GivenCode {
  /** As people see it. */
  readonly code: string;
  readonly expiresAt: number;
}

/**
 * Makes a code that takes the place of a second factor once; the one before is dead from then on. It goes on record in
 * the same commit.
 * @returns undefined if the user does not have 2FA on
 */
export async function giveEmergencyCode(
  userId: string,
  { grounds, validForMs }: { readonly grounds: Grounds; readonly validForMs: number },
  { storage, audit, by, recovery }: HelpDeps & { readonly recovery: RecoverySetDeps },
  also?: AlsoWritten<GivenCode>,
): Promise<GivenCode | undefined> {
  const { shown, set } = await newRecoverySet({ userId, count: 1 }, recovery);
  const [[code], [hash], [tag]] = [shown, set.hashes, set.tags];
  if (code === undefined || hash === undefined || tag === undefined) return undefined;
  const { salt, pepperKeyId } = set;
  const detail = { valid_for: validForMs, ...groundsDetail(grounds) };
  const record = audit.recorded({ userId, event: 'operator.emergency_code', actor: by, detail });
  // The answer holds the time of here: the store writes the code at this time or later.
  const told = { code, expiresAt: recovery.clock.now() + validForMs };
  const written = await storage.commit(
    [userId],
    when(putEmergencyCode(userId, { salt, pepperKeyId, hash, tag }, validForMs), {
      won: [record, also?.(told) ?? []],
      lost: [],
    }),
  );
  if (!written.won) return undefined;
  return also === undefined ? { code, expiresAt: written.row.expiresAt } : told;
}
