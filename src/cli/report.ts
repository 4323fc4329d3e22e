import { Command, Option } from 'commander';
import { makeReport, type Report } from '../rescue/report.ts';
import { type CsvValue, csvLine, csvTime } from './csv.ts';
import { UsageError } from './failures.ts';
import { adminTokenOption, homeserverUsers } from './homeserver_users.ts';
import { configFrom, configOption, jsonOption, requireCount } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { jsonLines, moment, table } from './text.ts';

const MOST_MONTHS = 120;

interface ReportOptions {
  readonly config?: string;
  readonly months: string;
  readonly homeserverAdminTokenFile?: string;
  readonly json?: true;
  readonly csv?: true;
}

/** `report`: how many use a second factor, and what happened month by month. */
export function reportCommand(surroundings: Surroundings): Command {
  return new Command('report')
    .description('how many users have a second factor, and what happened each month')
    .option('--months <number>', 'how many months, this one included', '12')
    .addOption(adminTokenOption())
    .addOption(jsonOption())
    .addOption(new Option('--csv', 'print the months as CSV, for spreadsheets').conflicts('json'))
    .addOption(configOption())
    .action(async (options: ReportOptions) => {
      const months = requireCount('--months', options.months);
      if (months > MOST_MONTHS) throw new UsageError(`--months must be at most ${MOST_MONTHS}`);
      const config = configFrom(options.config, surroundings);
      const others = await homeserverUsers(options.homeserverAdminTokenFile, config, surroundings);
      const now = surroundings.clock.now();
      const report = await withStore(config, surroundings, (storage) =>
        makeReport(storage, { policy: config.policy, now, months, others }),
      );
      if (options.csv === true) surroundings.csv(...asCsv(report));
      else surroundings.out(...(options.json === true ? jsonLines(report) : asText(report)));
    });
}

const HEADS = ['month', 'resets', 'emergency_codes', 'recovery_codes_used', 'enabled', 'disabled'] as const;

function asText({ generated_at, users, policy, months }: Report): string[] {
  const kinds = Object.entries(users.by_factor).map(([kind, count]) => `${kind} ${count}`);
  return [
    `${moment(generated_at)}`,
    `${users.known} known users: ${users.enabled} with two-factor authentication, ${users.without} without`,
    ...(kinds.length > 0 ? [`by factor: ${kinds.join(', ')}`] : []),
    `without recovery codes: ${users.no_recovery_codes}; locked: ${users.locked}`,
    `policy: required of ${policy.required}, optional for ${policy.optional}, forbidden for ${policy.forbidden}`,
    `required and not set up: in grace ${policy.in_grace}, overdue ${policy.overdue}, cannot ${policy.cannot_enrol}`,
    '',
    ...table(
      HEADS.map((head) => head.toUpperCase().replaceAll('_', ' ')),
      months.map((each) => HEADS.map((head) => String(each[head]))),
    ),
  ];
}

/** The months, and the users as they are now in a line of their own kind each. */
function asCsv({ generated_at, users, policy, months }: Report): string[] {
  const { by_factor, ...counts } = users;
  const now: [string, CsvValue][] = [
    ['generated_at', csvTime(generated_at)],
    ...Object.entries(counts).map(([name, count]): [string, CsvValue] => [`users_${name}`, count]),
    ...Object.entries(policy).map(([name, count]): [string, CsvValue] => [`policy_${name}`, count]),
    ...Object.entries(by_factor).map(([kind, count]): [string, CsvValue] => [`users_with_${kind}`, count]),
  ];
  const names = now.map(([name]) => name);
  const values = now.map(([, value]) => value);
  return [
    csvLine([...HEADS, ...names]),
    ...months.map((each) => csvLine([...HEADS.map((head) => each[head]), ...values])),
  ];
}
