import { Command } from 'commander';
import { adminTokenCommand } from './admin_token.ts';
import { auditExportCommand } from './audit_export.ts';
import { auditPruneCommand } from './audit_prune.ts';
import { auditShowCommand } from './audit_show.ts';
import { auditVerifyCommand } from './audit_verify.ts';
import { backupCommand } from './backup.ts';
import { checkConfigCommand } from './check_config.ts';
import { doctorCommand } from './doctor.ts';
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
import type { Surroundings } from './surroundings.ts';
import { textsCommand } from './texts.ts';
import { userEmergencyCodeCommand } from './user_emergency_code.ts';
import { userImportCommand } from './user_import.ts';
import { userListCommand } from './user_list.ts';
import { userPolicyCommand } from './user_policy.ts';
import { userResetCommand } from './user_reset.ts';
import { userShowCommand } from './user_show.ts';
import { userUnlockCommand } from './user_unlock.ts';

/** All of them, in the order of the help. */
export function allCommands(surroundings: Surroundings): Command[] {
  return [
    initCommand(surroundings),
    serveCommand(surroundings),
    checkConfigCommand(surroundings),
    doctorCommand(surroundings),
    new Command('user')
      .description('look at and help users')
      .addCommand(userListCommand(surroundings))
      .addCommand(userShowCommand(surroundings))
      .addCommand(userResetCommand(surroundings))
      .addCommand(userUnlockCommand(surroundings))
      .addCommand(userEmergencyCodeCommand(surroundings))
      .addCommand(userImportCommand(surroundings))
      .addCommand(userPolicyCommand(surroundings)),
    new Command('recovery')
      .description('look at and decide account recoveries')
      .addCommand(recoveryListCommand(surroundings))
      .addCommand(recoveryShowCommand(surroundings))
      .addCommand(recoveryApproveCommand(surroundings))
      .addCommand(recoveryDenyCommand(surroundings)),
    new Command('keys')
      .description('the keys that seal what is secret in the database')
      .addCommand(keysListCommand(surroundings))
      .addCommand(keysRotateCommand(surroundings))
      .addCommand(keysRetireCommand(surroundings)),
    new Command('notify')
      .description('notices to owners and operators')
      .addCommand(notifyTestCommand(surroundings))
      .addCommand(notifyDeadLettersCommand(surroundings)),
    new Command('admin')
      .description('the admin API, for programs of the operator')
      .addCommand(adminTokenCommand(surroundings)),
    new Command('audit')
      .description('what is on record')
      .addCommand(auditShowCommand(surroundings))
      .addCommand(auditExportCommand(surroundings))
      .addCommand(auditVerifyCommand(surroundings))
      .addCommand(auditPruneCommand(surroundings)),
    reportCommand(surroundings),
    backupCommand(surroundings),
    restoreCommand(surroundings),
    routesCommand(surroundings),
    textsCommand(surroundings),
    migrateCommand(surroundings),
  ];
}
