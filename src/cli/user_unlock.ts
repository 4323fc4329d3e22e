import { Command } from 'commander';
import { unlockUser } from '../rescue/help.ts';
import { requireText } from './grounds.ts';
import { requireKnownUser, unseenOption } from './known_user.ts';
import { operatorAudit } from './operator_audit.ts';
import { configFrom, configOption, jsonOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted, jsonLines } from './text.ts';

interface UnlockOptions {
  readonly config?: string;
  readonly reason?: string;
  readonly unseen?: boolean;
  readonly json?: boolean;
}

/** `user unlock`: ends the waits after wrong codes; the second factor itself stays as it is. */
export function userUnlockCommand(surroundings: Surroundings): Command {
  return new Command('unlock')
    .description('end the waits that wrong codes brought upon a user')
    .argument('<user-id>', 'in full, as in @bob:example.org')
    .option('--reason <text>', 'why; kept in the audit')
    .addOption(unseenOption())
    .addOption(configOption())
    .addOption(jsonOption())
    .action((userId: string, options: UnlockOptions) => unlock(requireUserId(userId), options, surroundings));
}

async function unlock(userId: string, options: UnlockOptions, surroundings: Surroundings): Promise<void> {
  const reason = options.reason === undefined ? undefined : requireText('--reason', options.reason);
  const config = configFrom(options.config, surroundings);
  const failures = await withStore(config, surroundings, async (storage) => {
    await requireKnownUser(storage, userId, options.unseen);
    return unlockUser(userId, reason, { storage, audit: await operatorAudit(config, storage, surroundings) });
  });
  const text = `${userId} is unlocked; there had been ${counted(failures, 'wrong code')}.`;
  surroundings.out(...(options.json === true ? jsonLines({ user_id: userId, failures }) : [text]));
}
