import { Command } from 'commander';
import { type ListedRecovery, listedRecovery } from '../account_recovery/status.ts';
import type { Query } from '../storage/statement.ts';
import { listRecoveries, listRecoveriesOf, type SeenRecovery } from '../storage/tables/recovery_requests.ts';
import { HOUR } from '../system/clock.ts';
import { CommandFailed } from './failures.ts';
import { configFrom, configOption, jsonOption, requireCount, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { jsonLines, moment, table } from './text.ts';

/** What an operator is told of account recoveries where none can be begun or finished. */
export const RECOVERY_IS_OFF =
  'account recovery is off (account_recovery.enabled): none can be begun, approved or finished';

interface ListOptions {
  readonly config?: string;
  readonly all?: boolean;
  readonly limit: string;
  readonly json?: boolean;
}

/** `recovery list`: the requests that run, or all. */
export function recoveryListCommand(surroundings: Surroundings): Command {
  return new Command('list')
    .description('list the account recoveries that run')
    .option('--all', 'those that have ended, too')
    .option('--limit <number>', 'at most so many, the newest first', '100')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async ({ config: asked, all = false, limit, json }: ListOptions) => {
      const most = requireCount('--limit', limit);
      print(await find(listRecoveries(!all, most), asked, surroundings), json === true, surroundings);
    });
}

/** `recovery show`: all requests of one user. */
export function recoveryShowCommand(surroundings: Surroundings): Command {
  return new Command('show')
    .description('show the account recoveries of a user, the newest first')
    .argument('<user-id>', 'in full, as in @bob:example.org')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (text: string, { config: asked, json }: { config?: string; json?: boolean }) => {
      const userId = requireUserId(text);
      const found = await find(listRecoveriesOf(userId), asked, surroundings);
      if (found.length === 0) throw new CommandFailed(`no recovery of ${userId} was ever begun`);
      print(found, json === true, surroundings);
    });
}

/** Those on record from before, too, where it is off. */
async function find(
  query: Query<SeenRecovery>,
  asked: string | undefined,
  surroundings: Surroundings,
): Promise<ListedRecovery[]> {
  const config = configFrom(asked, surroundings);
  const found = await withStore(config, surroundings, (storage) => storage.read(query));
  if (!config.accountRecovery.enabled) surroundings.err(`note: ${RECOVERY_IS_OFF}`);
  return found.map(listedRecovery);
}

function print(requests: readonly ListedRecovery[], asJson: boolean, { out }: Surroundings): void {
  out(...(asJson ? jsonLines(requests) : asLines(requests)));
}

function asLines(requests: readonly ListedRecovery[]): string[] {
  if (requests.length === 0) return ['No account recovery runs.'];
  return table(['USER', 'STATE', 'BEGUN', 'WAITED', 'ENDED'], requests.map(cellsOf));
}

function cellsOf(request: ListedRecovery): string[] {
  const hours = (ms: number) => `${Math.floor(ms / HOUR)}h`;
  const ended = [request.ended_by, request.ended_who, request.reason].filter((each) => each !== null);
  return [
    request.user_id,
    request.state,
    moment(request.begun_at),
    `${hours(request.counted_ms)} of ${hours(request.wait_ms)}${request.vouched ? ', with a recovery code' : ''}`,
    request.ended_at === null ? '' : [moment(request.ended_at), ...ended].join(', '),
  ];
}
