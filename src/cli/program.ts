import { Command } from 'commander';
import { oneLine } from '../system/one_line.ts';
import { programVersion } from '../system/version.ts';
import { adminTokenCommand } from './admin_token.ts';
import { auditExportCommand } from './audit_export.ts';
import { auditPruneCommand } from './audit_prune.ts';
import { auditShowCommand } from './audit_show.ts';
import { auditVerifyCommand } from './audit_verify.ts';
import { backupCommand } from './backup.ts';
import { checkConfigCommand } from './check_config.ts';
import { doctorCommand } from './doctor.ts';
import { FINE, failureOf } from './failures.ts';
import { initCommand } from './init.ts';
import { keysListCommand } from './keys_list.ts';
import { keysRetireCommand } from './keys_retire.ts';
import { keysRotateCommand } from './keys_rotate.ts';
import { migrateCommand } from './migrate.ts';
import { notifyDeadLettersCommand } from './notify_dead_letters.ts';
import { notifyTestCommand } from './notify_test.ts';
import { recoveryApproveCommand, recoveryDenyCommand } from './recovery_decide.ts';
import { recoveryListCommand, recoveryShowCommand } from './recovery_list.ts';
import { reportCommand } from './report.ts';
import { restoreCommand } from './restore.ts';
import { routesCommand } from './routes.ts';
import { serveCommand } from './serve.ts';
import type { Dialogue, Surroundings } from './surroundings.ts';
import { textsCommand } from './texts.ts';
import { userEmergencyCodeCommand } from './user_emergency_code.ts';
import { userImportCommand } from './user_import.ts';
import { userListCommand } from './user_list.ts';
import { userPolicyCommand } from './user_policy.ts';
import { userResetCommand } from './user_reset.ts';
import { userShowCommand } from './user_show.ts';
import { userUnlockCommand } from './user_unlock.ts';

/**
 * Runs one command line.
 *
 * @param words the arguments after the program's name
 * @returns the exit code: 0 fine, 1 failed, 2 wrong usage or configuration
 */
export async function run(words: readonly string[], given: Surroundings): Promise<number> {
  const surroundings = harmless(given);
  try {
    await buildProgram(surroundings).parseAsync(words, { from: 'user' });
    return FINE;
  } catch (error) {
    const { code, line } = failureOf(error);
    if (line !== undefined) surroundings.err(line);
    return code;
  }
}

/** Whatever a command prints: a line stays one line, and commands nothing to the terminal that it is read on. */
function harmless(surroundings: Surroundings): Surroundings {
  const { out, csv, err, confirm, dialogue } = surroundings;
  return {
    ...surroundings,
    out: (...lines) => out(...lines.map(oneLine)),
    csv: (...lines) => csv(...lines.map(oneLine)),
    err: (...lines) => err(...lines.map(oneLine)),
    confirm: (question) => confirm(oneLine(question)),
    dialogue: () => harmlessDialogue(dialogue()),
  };
}

function harmlessDialogue(dialogue: Dialogue | undefined): Dialogue | undefined {
  return dialogue && { ...dialogue, ask: (question) => dialogue.ask(oneLine(question)) };
}

/** All commands. */
export function buildProgram(surroundings: Surroundings): Command {
  const program = new Command('matrix-2fa-proxy')
    .description('Two-factor authentication for the accounts of a Matrix homeserver.')
    .version(programVersion())
    .addCommand(initCommand(surroundings))
    .addCommand(serveCommand(surroundings))
    .addCommand(checkConfigCommand(surroundings))
    .addCommand(doctorCommand(surroundings))
    .addCommand(
      new Command('user')
        .description('look at and help users')
        .addCommand(userListCommand(surroundings))
        .addCommand(userShowCommand(surroundings))
        .addCommand(userResetCommand(surroundings))
        .addCommand(userUnlockCommand(surroundings))
        .addCommand(userEmergencyCodeCommand(surroundings))
        .addCommand(userImportCommand(surroundings))
        .addCommand(userPolicyCommand(surroundings)),
    )
    .addCommand(
      new Command('recovery')
        .description('look at and decide account recoveries')
        .addCommand(recoveryListCommand(surroundings))
        .addCommand(recoveryShowCommand(surroundings))
        .addCommand(recoveryApproveCommand(surroundings))
        .addCommand(recoveryDenyCommand(surroundings)),
    )
    .addCommand(
      new Command('keys')
        .description('the keys that seal what is secret in the database')
        .addCommand(keysListCommand(surroundings))
        .addCommand(keysRotateCommand(surroundings))
        .addCommand(keysRetireCommand(surroundings)),
    )
    .addCommand(
      new Command('notify')
        .description('notices to owners and operators')
        .addCommand(notifyTestCommand(surroundings))
        .addCommand(notifyDeadLettersCommand(surroundings)),
    )
    .addCommand(
      new Command('admin')
        .description('the admin API, for programs of the operator')
        .addCommand(adminTokenCommand(surroundings)),
    )
    .addCommand(
      new Command('audit')
        .description('what is on record')
        .addCommand(auditShowCommand(surroundings))
        .addCommand(auditExportCommand(surroundings))
        .addCommand(auditVerifyCommand(surroundings))
        .addCommand(auditPruneCommand(surroundings)),
    )
    .addCommand(reportCommand(surroundings))
    .addCommand(backupCommand(surroundings))
    .addCommand(restoreCommand(surroundings))
    .addCommand(routesCommand(surroundings))
    .addCommand(textsCommand(surroundings))
    .addCommand(migrateCommand(surroundings))
    .addHelpText('after', '\nExit codes: 0 fine, 1 failed, 2 wrong usage or configuration.');
  everyCommand(program, (command) => prepare(command, surroundings));
  return program;
}

/** Commander exits by itself otherwise, and prints past us. */
function prepare(command: Command, { out, err }: Surroundings): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => out(...text.trimEnd().split('\n')),
    writeErr: (text) => err(...text.trimEnd().split('\n')),
    outputError: (text, write) => write(`matrix-2fa-proxy: ${oneLine(complaint(text))}`),
  });
}

/** Commander's complaint in one line; it puts its suggestion on a second one. */
function complaint(text: string): string {
  return text
    .trimEnd()
    .replace(/^error: /, '')
    .replace('\n(Did you mean', ' (did you mean');
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const inner of command.commands) everyCommand(inner, visit);
}
