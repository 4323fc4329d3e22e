import type { Storage } from '../storage/storage.ts';
import { lanesOf } from '../storage/tables/lanes.ts';
import { CommandFailed } from './failures.ts';

/**
 * Makes sure that the database knows `userId`: a mistyped name would look like a user whose 2FA is off, and
 * acting on it would be put on record as help that was given.
 *
 * @throws CommandFailed
 */
export async function requireKnownUser(
  { factors, holds, audit, read }: Storage,
  userId: string,
): Promise<void> {
  const traces = await Promise.all([
    factors.isEnrolled(userId),
    read(lanesOf(userId)).then(({ length }) => length > 0),
    holds.countForUser(userId).then((count) => count > 0),
    audit.list({ userId, limit: 1 }).then(({ length }) => length > 0),
  ]);
  if (!traces.includes(true))
    throw new CommandFailed(`${userId} is not known here; look at how it is spelled`);
}
