import { Command } from 'commander';
import { describeKeys, type KeyDescription } from '../vault/key_ring.ts';
import { readKeys } from '../vault/key_source.ts';
import { configFrom, configOption, jsonOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';
import { day, jsonLines, table } from './text.ts';

const USES = { active: 'seals and opens', opens: 'opens', pending: 'opens; will seal soon' } as const;

/** `keys list`: which keys there are, never what they are. */
export function keysListCommand(surroundings: Surroundings): Command {
  return new Command('list')
    .description('list the keys, without their secrets')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async ({ config: asked, json }: { config?: string; json?: boolean }) => {
      const ring = await readKeys(configFrom(asked, surroundings).keys.source);
      const keys = describeKeys(ring, surroundings.clock.now());
      surroundings.out(...(json === true ? jsonLines(keys) : asTable(keys)));
    });
}

function asTable(keys: readonly KeyDescription[]): string[] {
  return table(
    ['KEY', 'CREATED', 'USE'],
    keys.map(({ id, created, state }) => [id, day(created), USES[state]]),
  );
}
