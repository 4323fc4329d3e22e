import { Command, Option } from 'commander';
import { FACTOR_KINDS, POLICY_MODES, type PolicyMode } from '../config/settings.ts';
import { type ListedUser, listUsers, type UserFilter } from '../rescue/user_listing.ts';
import { csvLine, csvTime } from './csv.ts';
import { adminTokenOption, homeserverUsers } from './homeserver_users.ts';
import { configFrom, configOption, jsonOption, requireCount } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { day, jsonLines, table } from './text.ts';

interface ListOptions {
  readonly config?: string;
  readonly with2fa?: true;
  readonly without2fa?: true;
  /** False with `--no-codes`: Commander reads it as the opposite of `--codes`. */
  readonly codes?: false;
  readonly locked?: true;
  readonly policy?: PolicyMode;
  readonly inGrace?: true;
  readonly overdue?: true;
  readonly factor?: string;
  readonly search?: string;
  readonly limit?: string;
  readonly after?: string;
  readonly homeserverAdminTokenFile?: string;
  readonly json?: true;
  readonly csv?: true;
}

/** `user list`: the users who were seen here, with what they have enrolled. */
export function userListCommand(surroundings: Surroundings): Command {
  return new Command('list')
    .description('list the users who were seen here, by id, with their second factors')
    .addOption(new Option('--with-2fa', 'only those who have it on').conflicts('without2fa'))
    .option('--without-2fa', 'only those who have it off')
    .option('--no-codes', 'only those with it on who have no recovery code left')
    .option('--locked', 'only those whose codes are not looked at any more in some lane')
    .addOption(new Option('--policy <mode>', 'only those of whom this is asked').choices(POLICY_MODES))
    .option('--in-grace', 'only those who have to set up a second factor, but not yet')
    .option('--overdue', 'only those who have to set it up before their next sign-in')
    .option('--factor <kind>', `only those with a factor of this kind: ${FACTOR_KINDS.join(', ')}`)
    .option('--search <text>', 'only those whose id has this in it')
    .option('--limit <number>', 'at most so many')
    .option('--after <id>', 'only those behind this id')
    .addOption(adminTokenOption())
    .addOption(jsonOption())
    .addOption(new Option('--csv', 'print CSV, for spreadsheets').conflicts('json'))
    .addOption(configOption())
    .action((options: ListOptions) => list(options, surroundings));
}

async function list(options: ListOptions, surroundings: Surroundings): Promise<void> {
  const { limit } = options;
  const most = limit === undefined ? Number.POSITIVE_INFINITY : requireCount('--limit', limit);
  const config = configFrom(options.config, surroundings);
  const others = await homeserverUsers(options.homeserverAdminTokenFile, config, surroundings);
  const users = await withStore(config, surroundings, async (storage) => {
    const found: ListedUser[] = [];
    const deps = { storage, policy: config.policy, now: surroundings.clock.now() };
    for await (const user of listUsers(deps, filterOf(options), others)) {
      if (found.push(user) >= most) break;
    }
    return found;
  });
  if (options.csv === true) surroundings.csv(...asCsv(users));
  else surroundings.out(...(options.json === true ? jsonLines(users) : asTable(users)));
}

function filterOf(options: ListOptions): UserFilter {
  const { with2fa, without2fa, codes, locked, policy, inGrace, overdue, factor, search, after } = options;
  return {
    enabled: with2fa === true ? true : without2fa === true ? false : undefined,
    noCodes: codes === false,
    ...{ locked, policy, inGrace, overdue, factor, search, after },
  };
}

function asTable(users: readonly ListedUser[]): string[] {
  if (users.length === 0) return ['There is no such user.'];
  return table(
    ['USER', '2FA', 'POLICY', 'FACTORS', 'RECOVERY CODES', 'LAST USED', 'LAST SEEN'],
    users.map((user) => [
      user.user_id,
      user.locked ? 'locked' : user.enabled ? 'on' : 'off',
      policyIn(user),
      factorsIn(user),
      codesIn(user),
      user.last_used_at === null ? 'never' : day(user.last_used_at),
      user.last_seen_at === null ? 'never' : day(user.last_seen_at),
    ]),
  );
}

function factorsIn({ factors }: ListedUser): string {
  return Object.entries(factors)
    .map(([kind, count]) => (count === 1 ? kind : `${count} ${kind}`))
    .join(' ');
}

function policyIn({ policy, standing, deadline_ts: deadline }: ListedUser): string {
  if (standing === 'in_grace')
    return deadline === null ? 'required, in grace' : `required from ${day(deadline)}`;
  if (standing === 'owes_enrolment') return 'required, overdue';
  return standing === 'cannot_enrol' ? 'required, cannot' : policy;
}

function codesIn({ enabled, recovery_codes_remaining: left }: ListedUser): string {
  if (!enabled) return '';
  return left === 0 ? 'none left' : String(left);
}

const CSV_HEAD = [
  ...['user_id', 'enabled', 'authenticators', 'factors', 'recovery_codes_remaining', 'last_used_at'],
  ...['first_seen_at', 'last_seen_at', 'locked'],
  ...['policy', 'policy_source', 'deadline_ts', 'administrator', 'standing'],
];

function asCsv(users: readonly ListedUser[]): string[] {
  const lines = users.map((user) => [
    ...[user.user_id, user.enabled, user.authenticators, factorsIn(user), user.recovery_codes_remaining],
    ...[csvTime(user.last_used_at), csvTime(user.first_seen_at), csvTime(user.last_seen_at), user.locked],
    ...[user.policy, user.policy_source, csvTime(user.deadline_ts), user.administrator ?? '', user.standing],
  ]);
  return [CSV_HEAD, ...lines].map(csvLine);
}
