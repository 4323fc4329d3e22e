import { Command } from 'commander';
import { RecoveryEndings } from '../account_recovery/endings.ts';
import { tellingBy } from '../account_recovery/telling.ts';
import { findRunningRecovery } from '../storage/tables/recovery_requests.ts';
import { CommandFailed } from './failures.ts';
import { type GroundsOptions, groundsOptions, requireGrounds } from './grounds.ts';
import { operatorAudit, operatorName } from './operator_audit.ts';
import { configFrom, configOption, jsonOption, requireUserId } from './options.ts';
import { RECOVERY_IS_OFF } from './recovery_list.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { jsonLines } from './text.ts';

interface DecideOptions extends GroundsOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** `recovery approve`: a request that waits is open from now on. */
export function recoveryApproveCommand(surroundings: Surroundings): Command {
  const description =
    'let a user finish the recovery of their account now; not where account recovery is off';
  return decision('approve', description, surroundings);
}

/** `recovery deny`: a request that runs is ended. */
export function recoveryDenyCommand(surroundings: Surroundings): Command {
  return decision('deny', 'end the recovery of an account that runs, also where it is off', surroundings);
}

function decision(name: 'approve' | 'deny', description: string, surroundings: Surroundings): Command {
  const command = new Command(name)
    .description(description)
    .argument('<user-id>', 'in full, as in @bob:example.org');
  for (const option of groundsOptions()) command.addOption(option);
  return command
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nBefore you decide read docs/recover.md: a claim alone proves nothing.')
    .action((text: string, options: DecideOptions) =>
      decide(name, requireUserId(text), options, surroundings),
    );
}

async function decide(
  name: 'approve' | 'deny',
  userId: string,
  options: DecideOptions,
  surroundings: Surroundings,
): Promise<void> {
  const grounds = requireGrounds(options);
  const config = configFrom(options.config, surroundings);
  await withStore(config, surroundings, async (storage) => {
    // An approval would send all who are notified to a page that is 404 then. To end a request does no harm.
    if (name === 'approve' && !config.accountRecovery.enabled) throw new CommandFailed(RECOVERY_IS_OFF);
    const audit = await operatorAudit(config, storage, surroundings);
    const endings = new RecoveryEndings({ storage, audit, telling: tellingBy(() => config.notify) });
    const [request] = await storage.read(findRunningRecovery(userId));
    const by = { grounds, who: operatorName(surroundings) };
    const isDone =
      request !== undefined &&
      (name === 'approve'
        ? await endings.approve(request, by, config.accountRecovery.claimWindowMs)
        : await endings.deny(request, by));
    if (!isDone) throw new CommandFailed(`no recovery of ${userId} ${name === 'approve' ? 'waits' : 'runs'}`);
  });
  const done = name === 'approve' ? 'can be finished now' : 'was ended';
  const text = `The recovery of ${userId} ${done}.`;
  surroundings.out(...(options.json === true ? jsonLines({ user_id: userId, done: name }) : [text]));
}
