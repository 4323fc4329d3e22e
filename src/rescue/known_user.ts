import type { Storage } from '../storage/storage.ts';
import { findSeen } from '../storage/tables/known_users.ts';
import { lanesOf } from '../storage/tables/lanes.ts';
import { findPolicy } from '../storage/tables/policies.ts';

/**
 * Whether the database knows `userId`: a mistyped name would look like a user whose 2FA is off, and acting on it would
 * be put on record as help that was given.
 */
export async function isKnownUser(
  { factors, holds, audit, read }: Storage,
  userId: string,
): Promise<boolean> {
  const traces = await Promise.all([
    factors.isEnrolled(userId),
    read(lanesOf(userId)).then(({ length }) => length > 0),
    holds.countForUser(userId).then((count) => count > 0),
    read(findSeen(userId)).then(({ length }) => length > 0),
    audit.list({ userId, limit: 1 }).then(({ length }) => length > 0),
    read(findPolicy(userId)).then(([policy]) => policy?.mode !== null || policy.requiredSince !== null),
  ]);
  return traces.includes(true);
}
