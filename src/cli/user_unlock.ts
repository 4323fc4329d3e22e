import { Command } from 'commander';
import { Audit } from '../audit/audit.ts';
import type { Storage } from '../storage/storage.ts';
import { clearLanes, lanesOf } from '../storage/tables/lanes.ts';
import { requireKnownUser } from './known_user.ts';
import { configFrom, configOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted } from './text.ts';

/** `user unlock`: ends the waits after wrong codes; the second factor itself stays as it is. */
export function userUnlockCommand(surroundings: Surroundings): Command {
  return new Command('unlock')
    .description('end the waits that wrong codes brought upon a user')
    .argument('<user-id>', 'in full, as in @bob:example.org')
    .addOption(configOption())
    .action(async (text: string, { config: asked }: { config?: string }) => {
      const userId = requireUserId(text);
      const failures = await withStore(configFrom(asked, surroundings), surroundings, (storage) =>
        unlock(storage, userId, surroundings),
      );
      surroundings.out(`${userId} is unlocked; there had been ${counted(failures, 'wrong code')}.`);
    });
}

/** Answers how many wrong codes there had been. */
async function unlock(storage: Storage, userId: string, { clock }: Surroundings): Promise<number> {
  await requireKnownUser(storage, userId);
  const states = await storage.read(lanesOf(userId));
  const failures = states.reduce((sum, state) => sum + state.failures, 0);
  await new Audit(storage.audit, clock).record({ userId, event: 'operator.unlock', detail: { failures } });
  await storage.commit([userId], clearLanes(userId));
  return failures;
}
