import { Command } from 'commander';
import { NoDatabase } from '../storage/errors.ts';
import type { Storage } from '../storage/storage.ts';
import { listProcesses } from '../storage/tables/processes.ts';
import { countPeppered } from '../storage/tables/sealed_values.ts';
import { describeKeys, type KeyDescription } from '../vault/key_ring.ts';
import { readKeys } from '../vault/key_source.ts';
import { countUnder } from '../vault/resealing.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { day, jsonLines, table } from './text.ts';

const USES = { active: 'seals and opens', opens: 'opens', pending: 'opens; will seal soon' } as const;

interface ListedKey extends KeyDescription {
  /** How many values need it: what is sealed under it, and sets of recovery codes with its pepper. */
  readonly values: number;
  /** How many running processes know it. */
  readonly processes: number;
}

/** `keys list`: which keys there are, never what they are. */
export function keysListCommand(surroundings: Surroundings): Command {
  return new Command('list')
    .description('list the keys, without their secrets, and what needs them')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async ({ config: asked, json }: { config?: string; json?: boolean }) => {
      const config = configFrom(asked, surroundings);
      const keys = describeKeys(await readKeys(config.keys.source), surroundings.clock.now());
      const listed = await withStore(config, surroundings, (storage) => withUses(keys, storage)).catch(
        (error: unknown) => {
          if (error instanceof NoDatabase) return keys.map((key) => ({ ...key, values: 0, processes: 0 }));
          throw error;
        },
      );
      surroundings.out(...(json === true ? jsonLines(listed) : asTable(listed)));
    });
}

async function withUses(keys: readonly KeyDescription[], storage: Storage): Promise<ListedKey[]> {
  const live = await storage.read(listProcesses());
  const listed: ListedKey[] = [];
  for (const key of keys) {
    const [peppered] = await storage.read(countPeppered(key.id));
    const { sets = 0, emergencyCodes = 0, claims = 0 } = peppered ?? {};
    const values = (await countUnder(storage, key.id)) + sets + emergencyCodes + claims;
    const processes = live.filter(({ keyIds }) => keyIds.split(' ').includes(key.id)).length;
    listed.push({ ...key, values, processes });
  }
  return listed;
}

function asTable(keys: readonly ListedKey[]): string[] {
  return table(
    ['KEY', 'CREATED', 'USE', 'VALUES', 'PROCESSES'],
    keys.map(({ id, created, state, values, processes }) => [
      id,
      day(created),
      USES[state],
      String(values),
      String(processes),
    ]),
  );
}
