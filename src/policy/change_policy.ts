import type { Audit } from '../audit/audit.ts';
import type { Grace } from '../config/config.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { growVersion } from '../storage/tables/accounts.ts';
import { findPolicy, type PolicyRow, setPolicy } from '../storage/tables/policies.ts';

/** What an operator sets for one user: it counts before all that the configuration says. */
export interface PolicyChange {
  /** `inherit`: what was set is taken back, the grace too. Undefined: it stays. */
  readonly mode: 'optional' | 'required' | 'forbidden' | 'inherit' | undefined;
  /** A grace of their own, which begins at the next sight of them. Undefined: that of the configuration. */
  readonly grace: Grace | undefined;
  readonly reason: string | undefined;
}

interface PolicyChangeDeps {
  readonly storage: Storage;
  readonly audit: Audit;
  /** Who does it, where that is not the operator at the command line. */
  readonly by?: string | undefined;
}

/**
 * Sets what is asked of a user. It holds at once, in all processes: what was held or proven under the account before
 * rests on an old version of it.
 * @param also written in the same commit
 */
export async function changePolicy(
  { storage, audit, by }: PolicyChangeDeps,
  userId: string,
  { mode, grace, reason }: PolicyChange,
  also: Write = [],
): Promise<void> {
  const [before] = await storage.read(findPolicy(userId));
  const kept = mode === undefined ? (before?.mode ?? null) : mode === 'inherit' ? null : mode;
  const recorded = audit.recorded({
    userId,
    event: 'policy.changed',
    actor: by,
    detail: {
      policy: kept ?? 'inherit',
      ...(grace === undefined ? {} : { grace: inWords(grace) }),
      ...(reason === undefined ? {} : { reason }),
    },
  });
  const policy = { mode: kept, ...stored(grace), foldedLocalpart: foldLocalpart(userId) };
  const set = setPolicy(userId, policy, grace !== undefined);
  await storage.commit([userId], [set, growVersion(userId), recorded, also]);
}

function stored(grace: Grace | undefined): Pick<PolicyRow, 'graceMs' | 'graceUntil'> {
  if (grace === undefined) return { graceMs: null, graceUntil: null };
  return 'until' in grace
    ? { graceMs: null, graceUntil: grace.until }
    : { graceMs: grace.durationMs, graceUntil: null };
}

function inWords(grace: Grace): string {
  return 'until' in grace ? new Date(grace.until).toISOString().slice(0, 10) : `${grace.durationMs / 1000}s`;
}
