import { Option } from 'commander';
import { isKnownUser } from '../rescue/known_user.ts';
import type { Storage } from '../storage/storage.ts';
import { CommandFailed } from './failures.ts';

/** `--unseen`, for users of the homeserver whom the database has not seen. */
export function unseenOption(): Option {
  return new Option('--unseen', 'go on for a user whom the database has not seen; look at the spelling');
}

/**
 * Makes sure that the database knows `userId`, unless the operator says that it need not.
 *
 * @throws CommandFailed
 */
export async function requireKnownUser(storage: Storage, userId: string, unseen = false): Promise<void> {
  if (unseen || (await isKnownUser(storage, userId))) return;
  throw new CommandFailed(`${userId} is not known here; look at how it is spelled`);
}
