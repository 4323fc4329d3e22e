import { Command } from 'commander';
import { Audit } from '../audit/audit.ts';
import type { Storage } from '../storage/storage.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { requireKnownUser } from './known_user.ts';
import { preparedSweep } from './log_out_held.ts';
import { configFrom, configOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted } from './text.ts';

interface ResetOptions {
  readonly config?: string;
  readonly reason: string;
  readonly verifiedBy?: string;
  readonly yes?: boolean;
}

/** `user reset`: removes every factor of a user who has lost phone and codes. The last resort. */
export function userResetCommand(surroundings: Surroundings): Command {
  return new Command('reset')
    .description('remove every second factor of a user; after it the password alone signs in')
    .argument('<user-id>', 'in full, as in @bob:example.org')
    .requiredOption('--reason <text>', 'why; kept in the audit')
    .option('--verified-by <text>', 'who made sure that it is the owner who asks, and how; kept in the audit')
    .option('--yes', 'do not ask')
    .addOption(configOption())
    .addHelpText('after', '\nBefore you reset anything read docs/recover.md: a claim alone proves nothing.')
    .action((userId: string, options: ResetOptions) => reset(requireUserId(userId), options, surroundings));
}

async function reset(userId: string, options: ResetOptions, surroundings: Surroundings): Promise<void> {
  if (options.reason.trim() === '') throw new UsageError('--reason must say something');
  const config = configFrom(options.config, surroundings);
  await withStore(config, surroundings, async (storage) => {
    await requireKnownUser(storage, userId);
    const { length: authenticators } = await storage.factors.authenticators(userId);
    if (authenticators === 0)
      throw new CommandFailed(`${userId} has not turned two-factor authentication on`);
    await requireConsent(userId, options, surroundings);
    const logOutEndedHolds = await preparedSweep(config, storage, surroundings);

    await removeFactors(userId, authenticators, options, { storage, surroundings });
    surroundings.out(
      `${userId} has no second factor any more; ${counted(authenticators, 'authenticator')} removed.`,
    );
    const loggedOut = await logOutEndedHolds();
    if (loggedOut > 0)
      surroundings.out(`${counted(loggedOut, 'sign-in')} that waited for a code logged out.`);
  });
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

/** The audit comes first: what cannot be put on record is not done. */
async function removeFactors(
  userId: string,
  authenticators: number,
  { reason, verifiedBy }: ResetOptions,
  { storage, surroundings: { clock } }: { storage: Storage; surroundings: Surroundings },
): Promise<void> {
  await new Audit(storage.audit, clock).record({
    userId,
    event: 'operator.reset',
    detail: { authenticators, reason, ...(verifiedBy === undefined ? {} : { verified_by: verifiedBy }) },
  });
  await storage.factors.removeAllFactors(userId);
}
