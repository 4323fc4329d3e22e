import { Command } from 'commander';
import type { Storage } from '../storage/storage.ts';
import { type EntryFilter, findNewest, findNext, type ShownRow } from '../storage/tables/audit_entries.ts';
import { SECOND } from '../system/clock.ts';
import {
  entryAsJson,
  entryAsText,
  type FilterOptions,
  filterOf,
  limitOf,
  withFilterOptions,
} from './audit_filter.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';

const SHOWN = 100;
const FOLLOWED_EVERY_MS = SECOND;
/** Entries of two processes may become visible in another order than that of their numbers. */
const LOOKED_BACK = 500;

interface ShowOptions extends FilterOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly follow?: true;
}

/** `audit show`: the newest entries, the newest first. */
export function auditShowCommand(surroundings: Surroundings): Command {
  return withFilterOptions(new Command('show'))
    .description(`show the newest entries of the audit, the newest first: ${SHOWN}, or --limit`)
    .option('--follow', 'the newest last, and go on with what comes until Ctrl-C')
    .addOption(jsonOption())
    .addOption(configOption())
    .action(async (options: ShowOptions) => {
      const filter = filterOf(options, surroundings.clock.now());
      const most = limitOf(options) ?? SHOWN;
      const text = options.json === true ? entryAsJson : entryAsText;
      await withStore(configFrom(options.config, surroundings), surroundings, async (storage) => {
        const newest = await storage.read(findNewest(filter, most));
        if (options.follow !== true) surroundings.out(...newest.map(text));
        else await follow(newest, filter, { storage, surroundings, text });
      });
    });
}

interface Following {
  readonly storage: Storage;
  readonly surroundings: Surroundings;
  text(row: ShownRow): string;
}

async function follow(newest: readonly ShownRow[], filter: EntryFilter, to: Following): Promise<void> {
  const { storage, surroundings, text } = to;
  const stopped = surroundings.untilStopped().then(() => true);
  let seen = new Set(newest.map(({ number }) => number));
  surroundings.out(...newest.toReversed().map(text));
  do {
    const after = Math.max(0, ...seen) - LOOKED_BACK;
    const rows = await storage.read(findNext(filter, after, LOOKED_BACK * 4));
    const first = newest.at(-1)?.number ?? 0;
    surroundings.out(...rows.filter(({ number }) => !seen.has(number) && number > first).map(text));
    seen = new Set([...seen, ...rows.map(({ number }) => number)].filter((number) => number > after));
  } while (!(await Promise.race([stopped, pause()])));
}

function pause(): Promise<false> {
  return new Promise((resolve) => {
    setTimeout(() => resolve(false), FOLLOWED_EVERY_MS);
  });
}
