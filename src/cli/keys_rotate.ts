import { Command } from 'commander';
import { rotateKeyFile } from '../vault/key_ring.ts';
import { configFrom, configOption } from './options.ts';
import type { Surroundings } from './surroundings.ts';

/** `keys rotate`: a new key for what is sealed from now on; the old ones stay, to open what they sealed. */
export function keysRotateCommand(surroundings: Surroundings): Command {
  return new Command('rotate')
    .description('add a new key to the key file; what was sealed before still opens')
    .addOption(configOption())
    .action(({ config: asked }: { config?: string }) => {
      const { clock, random, out } = surroundings;
      const { file } = configFrom(asked, surroundings).keys;
      const ring = rotateKeyFile(file, random, clock);
      out(`${file} has the new key ${ring.active.id}. A running serve seals with it after its next start.`);
      out('Keep a new copy of the key file: older copies do not have this key.');
    });
}
