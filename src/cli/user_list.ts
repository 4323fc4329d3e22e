import { Command } from 'commander';
import type { FactorStore } from '../storage/tables/factors.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { day, jsonLines, table } from './text.ts';

interface ListedUser {
  readonly user_id: string;
  readonly authenticators: number;
  readonly recovery_codes_remaining: number;
  readonly last_used_at: number | null;
}

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

async function listUsers(factors: FactorStore): Promise<ListedUser[]> {
  const users: ListedUser[] = [];
  for (const userId of await factors.enrolledUsers()) {
    const authenticators = await factors.authenticators(userId);
    const codes = (await factors.recoverySet(userId))?.codes ?? [];
    const uses = authenticators.flatMap(({ lastUsedAt }) => (lastUsedAt === null ? [] : [lastUsedAt]));
    users.push({
      user_id: userId,
      authenticators: authenticators.length,
      recovery_codes_remaining: codes.filter(({ usedAt }) => usedAt === null).length,
      last_used_at: uses.length === 0 ? null : Math.max(...uses),
    });
  }
  return users;
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
