import { Command } from 'commander';
import { hashingQueue, RecoveryHasher } from '../factors/recovery/recovery_hasher.ts';
import { type GivenCode, giveEmergencyCode, LONGEST_VALIDITY } from '../rescue/emergency_code.ts';
import { readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { CommandFailed } from './failures.ts';
import { type GroundsOptions, groundsOptions, requireGrounds } from './grounds.ts';
import { requireKnownUser } from './known_user.ts';
import { operatorAudit } from './operator_audit.ts';
import { configFrom, configOption, jsonOption, requireDuration, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { jsonLines, moment } from './text.ts';

interface EmergencyCodeOptions extends GroundsOptions {
  readonly config?: string;
  readonly validFor: string;
  readonly json?: boolean;
}

/** `user emergency-code`: a code for one use, for a user who has lost phone and codes. Two-factor authentication stays on. */
export function userEmergencyCodeCommand(surroundings: Surroundings): Command {
  const command = new Command('emergency-code')
    .description('make a code that stands in for the second factor of a user once')
    .argument('<user-id>', 'in full, as in @bob:example.org');
  for (const option of groundsOptions()) command.addOption(option);
  return command
    .option('--valid-for <duration>', `until when it can be used, at most ${LONGEST_VALIDITY}`, '24h')
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nIt prints the code on the first line, once. Read docs/recover.md first.')
    .action((userId: string, options: EmergencyCodeOptions) =>
      give(requireUserId(userId), options, surroundings),
    );
}

async function give(
  userId: string,
  options: EmergencyCodeOptions,
  surroundings: Surroundings,
): Promise<void> {
  const grounds = requireGrounds(options);
  const range = { min: '1s', max: LONGEST_VALIDITY };
  const validForMs = requireDuration('--valid-for', options.validFor, range);
  const config = configFrom(options.config, surroundings);
  const given = await withStore(config, surroundings, async (storage) => {
    await requireKnownUser(storage, userId);
    const { clock, random } = surroundings;
    const vault = new SealingVault(await readKeys(config.keys.source), random, { clock });
    const recovery = { vault, clock, random, hasher: new RecoveryHasher(hashingQueue()) };
    const audit = await operatorAudit(config, storage, surroundings);
    return giveEmergencyCode(userId, { grounds, validForMs }, { storage, audit, recovery });
  });
  if (given === undefined) throw new CommandFailed(`${userId} has not turned two-factor authentication on`);
  surroundings.out(...(options.json === true ? asJson(userId, given) : asLines(userId, given)));
}

function asJson(userId: string, { code, expiresAt }: GivenCode): string[] {
  return jsonLines({ user_id: userId, code, expires_at: expiresAt });
}

function asLines(userId: string, { code, expiresAt }: GivenCode): string[] {
  return [code, `Good once for ${userId}, until ${moment(expiresAt)}, where a recovery code is.`];
}
