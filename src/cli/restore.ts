import { existsSync, realpathSync } from 'node:fs';
import { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { configFrom, configOption } from './options.ts';
import { inspectTarget, type Target } from './restore_target.ts';
import { type PreparedCopy, prepareCopy } from './restored_copy.ts';
import type { Surroundings } from './surroundings.ts';
import { counted } from './text.ts';

interface RestoreOptions {
  readonly config?: string;
  readonly replace?: true;
  readonly yes?: true;
}

/** `restore`: a backup becomes the database. */
export function restoreCommand(surroundings: Surroundings): Command {
  return new Command('restore')
    .description('put a copy made by backup in the place of the database, while no serve runs')
    .argument('<file>', 'the copy; it stays as it is')
    .option('--replace', 'also if users have two-factor authentication on in the database that is there')
    .option('--yes', 'do not ask')
    .addOption(configOption())
    .addHelpText('after', '\nWhat follows from it stands in docs/operate.md, "Back up and restore".')
    .action((file: string, { config, ...options }: RestoreOptions) =>
      restore(file, options, configFrom(config, surroundings), surroundings),
    );
}

async function restore(
  file: string,
  options: RestoreOptions,
  config: Config,
  surroundings: Surroundings,
): Promise<void> {
  requireOther(file, config);
  const copy = await prepareCopy(file, config, surroundings);
  try {
    const target = await inspectTarget(config.storage, surroundings);
    requireReplaceable(target, options);
    await requireConsent(file, { target, copy }, options, surroundings);
    const kept = await target.replaceBy(copy.path);
    const { out } = surroundings;
    out(`Restored ${file} into ${target.name}: ${enrolled(copy.users)}.`);
    if (kept !== undefined) out(`What was there is now ${kept}.`);
    out('All sessions and sign-ins under way have ended, and the codes shown up to now are spent.');
  } finally {
    copy.remove();
  }
}

function requireOther(file: string, { storage }: Config): void {
  if (!existsSync(file)) throw new CommandFailed(`${file}: there is no such file`);
  if (storage.type !== 'sqlite' || !existsSync(storage.path)) return;
  if (realpathSync(storage.path) === realpathSync(file))
    throw new CommandFailed(`${file} is the database itself: name a copy of it`);
}

function requireReplaceable({ name, users }: Target, { replace }: RestoreOptions): void {
  if (replace === true || users === 0) return;
  const why =
    users === undefined ? 'cannot be read as a database of this program' : `holds ${enrolled(users)}`;
  throw new CommandFailed(`${name} ${why}: add --replace to put the copy in its place`);
}

async function requireConsent(
  file: string,
  { target, copy }: { readonly target: Target; readonly copy: PreparedCopy },
  { yes }: RestoreOptions,
  { confirm }: Surroundings,
): Promise<void> {
  if (yes === true) return;
  const consent = await confirm(`Put ${file} (${enrolled(copy.users)}) in the place of ${target.name}?`);
  if (consent === undefined) throw new UsageError('no one is there to ask: add --yes');
  if (!consent) throw new CommandFailed('nothing was changed');
}

function enrolled(users: number): string {
  return `${counted(users, 'user')} with two-factor authentication on`;
}
