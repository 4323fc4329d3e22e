import { Command } from 'commander';
import { changeDeadLetters, type DeadLettersDeps, shownDeadLetter } from '../notify/dead_letter.ts';
import { listDeadLetters, type NoticeRow } from '../storage/tables/notices.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { operatorAudit } from './operator_audit.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted, jsonLines, moment, table } from './text.ts';

interface DeadLettersOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly retry?: string;
  readonly drop?: string;
}

const ALL = 'all';

/** `notify dead-letters`: the notices that were given up, and what becomes of them. */
export function notifyDeadLettersCommand(surroundings: Surroundings): Command {
  return new Command('dead-letters')
    .description('list the notices that were given up; try them again, or drop them')
    .option('--retry <id>', 'let serve try this one again, or "all"')
    .option('--drop <id>', 'forget this one, or "all"')
    .addOption(configOption())
    .addOption(jsonOption())
    .action((options: DeadLettersOptions) => deadLetters(options, surroundings));
}

async function deadLetters(options: DeadLettersOptions, surroundings: Surroundings): Promise<void> {
  const { retry, drop, json } = options;
  if (retry !== undefined && drop !== undefined)
    throw new UsageError('--retry and --drop exclude each other');
  const config = configFrom(options.config, surroundings);
  await withStore(config, surroundings, async (storage) => {
    if (retry === undefined && drop === undefined) {
      const letters = await storage.read(listDeadLetters());
      surroundings.out(...(json === true ? jsonLines(letters.map(shownDeadLetter)) : asTable(letters)));
      return;
    }
    const audit = await operatorAudit(config, storage, surroundings);
    const count = await change({ storage, audit }, options);
    const done = drop === undefined ? 'will be tried again' : 'dropped';
    const result = drop === undefined ? { retried: count } : { dropped: count };
    surroundings.out(...(json === true ? jsonLines(result) : [`${counted(count, 'notice')} ${done}.`]));
  });
}

/** @throws CommandFailed if there is no such dead letter */
async function change(deps: DeadLettersDeps, { retry, drop }: DeadLettersOptions): Promise<number> {
  const asked = drop ?? retry ?? ALL;
  const id = asked === ALL ? null : asked;
  const count = await changeDeadLetters(deps, drop === undefined ? 'retry' : 'drop', id);
  if (count === 0 && id !== null) throw new CommandFailed(`there is no dead letter ${id}`);
  return count;
}

function asTable(letters: readonly NoticeRow[]): string[] {
  if (letters.length === 0) return ['There are no dead letters.'];
  return table(
    ['ID', 'CHANNEL', 'EVENT', 'USER', 'AT', 'FAILURE'],
    letters.map(({ id, channel, event, userId, happenedAt, failure }) => [
      ...[id, channel, event, userId, moment(happenedAt), failure ?? ''],
    ]),
  );
}
