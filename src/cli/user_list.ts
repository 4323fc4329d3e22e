import { Command } from 'commander';
import { type ListedUser, listUsers } from '../rescue/shown_users.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { day, jsonLines, table } from './text.ts';

/** `user list`: everybody with 2FA on, and who has no codes left. */
export function userListCommand(surroundings: Surroundings): Command {
  return new Command('list')
    .description('list the users who have turned two-factor authentication on')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async ({ config: asked, json }: { config?: string; json?: boolean }) => {
      const users = await withStore(configFrom(asked, surroundings), surroundings, ({ factors }) =>
        listUsers(factors),
      );
      surroundings.out(...(json === true ? jsonLines(users) : asTable(users)));
    });
}

function asTable(users: readonly ListedUser[]): string[] {
  if (users.length === 0) return ['No one has turned two-factor authentication on yet.'];
  return table(
    ['USER', 'AUTHENTICATORS', 'RECOVERY CODES', 'LAST USED'],
    users.map((user) => [
      user.user_id,
      String(user.authenticators),
      user.recovery_codes_remaining === 0 ? 'none left' : String(user.recovery_codes_remaining),
      user.last_used_at === null ? 'never' : day(user.last_used_at),
    ]),
  );
}
