import { Command } from 'commander';
import { RecoveryEndings } from '../account_recovery/endings.ts';
import { tellingBy } from '../account_recovery/telling.ts';
import { DevicePasswordEnds } from '../device_passwords/ends.ts';
import { resetUser } from '../rescue/help.ts';
import type { Storage } from '../storage/storage.ts';
import { listDevicePasswords } from '../storage/tables/device_passwords.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { type GroundsOptions, groundsOptions, requireGrounds } from './grounds.ts';
import { requireKnownUser, unseenOption } from './known_user.ts';
import { preparedSweep } from './log_out_held.ts';
import { operatorAudit, operatorName } from './operator_audit.ts';
import { configFrom, configOption, jsonOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted, jsonLines } from './text.ts';

interface ResetOptions extends GroundsOptions {
  readonly config?: string;
  readonly unseen?: boolean;
  readonly revokeDevicePasswords?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** What a reset did, as `--json` prints it. */
interface ResetDone {
  readonly user_id: string;
  readonly authenticators: number;
  /** Sign-ins that waited for a code. */
  readonly logged_out: number;
  /** Those that were revoked; without `--revoke-device-passwords` none. */
  readonly device_passwords: number;
}

/** `user reset`: removes every factor of a user who has lost phone and codes. The last resort. */
export function userResetCommand(surroundings: Surroundings): Command {
  const command = new Command('reset')
    .description('remove every second factor of a user; after it the password alone signs in')
    .argument('<user-id>', 'in full, as in @bob:example.org');
  for (const option of groundsOptions()) command.addOption(option);
  return command
    .option('--revoke-device-passwords', 'end their device passwords too, and log out the devices of these')
    .option('--yes', 'do not ask')
    .addOption(unseenOption())
    .addOption(configOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nBefore you reset anything read docs/recover.md: a claim alone proves nothing.')
    .action((userId: string, options: ResetOptions) => reset(requireUserId(userId), options, surroundings));
}

async function reset(userId: string, options: ResetOptions, surroundings: Surroundings): Promise<void> {
  const grounds = requireGrounds(options);
  const config = configFrom(options.config, surroundings);
  const done = await withStore(config, surroundings, async (storage) => {
    await requireSomethingToReset(storage, userId, options);
    await requireConsent(userId, options, surroundings);
    const audit = await operatorAudit(config, storage, surroundings);
    const endings = new RecoveryEndings({ storage, audit, telling: tellingBy(() => config.notify) });
    const devicePasswordEnds = new DevicePasswordEnds({ storage, audit });
    const logOutEndedHolds = await preparedSweep(config, { storage, audit }, surroundings);
    const order = { grounds, revokeDevicePasswords: options.revokeDevicePasswords === true };
    const { authenticators, devicePasswords } = await resetUser(userId, order, {
      ...{ storage, audit },
      by: `operator:${operatorName(surroundings)}`,
      endingRecovery: (id, by) => endings.byReset(id, by),
      endingDevicePasswords: (id, by) => devicePasswordEnds.endingAll(id, 'reset', by),
    });
    return {
      ...{ user_id: userId, authenticators, device_passwords: devicePasswords },
      logged_out: await logOutEndedHolds(),
    };
  });
  surroundings.out(...(options.json === true ? jsonLines(done) : asLines(done)));
}

/** A user who was not seen may be reset all the same, where the operator says so: then there is nothing to remove. */
async function requireSomethingToReset(
  storage: Storage,
  userId: string,
  { unseen, revokeDevicePasswords }: ResetOptions,
): Promise<void> {
  if (unseen === true) return;
  await requireKnownUser(storage, userId);
  if (await storage.factors.isEnrolled(userId)) return;
  if (revokeDevicePasswords === true && (await storage.read(listDevicePasswords(userId))).length > 0) return;
  throw new CommandFailed(`${userId} has not turned two-factor authentication on`);
}

async function requireConsent(
  userId: string,
  options: ResetOptions,
  { confirm }: Surroundings,
): Promise<void> {
  if (options.yes === true) return;
  const consent = await confirm(`Remove every second factor of ${userId}?`);
  if (consent === undefined) throw new UsageError('no one is there to ask: add --yes');
  if (!consent) throw new CommandFailed('nothing was changed');
}

function asLines({ user_id, authenticators, logged_out, device_passwords }: ResetDone): string[] {
  return [
    `${user_id} has no second factor any more; ${counted(authenticators, 'authenticator')} removed.`,
    ...(device_passwords > 0 ? [`${counted(device_passwords, 'device password')} revoked.`] : []),
    ...(logged_out > 0 ? [`${counted(logged_out, 'sign-in')} that waited for a code logged out.`] : []),
  ];
}
