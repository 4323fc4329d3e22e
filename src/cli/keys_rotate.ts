import { Command } from 'commander';
import { rotateKeyFile } from '../vault/key_ring.ts';
import { configFrom, configOption, requireDuration } from './options.ts';
import type { Surroundings } from './surroundings.ts';

/** All processes have read the file again by then. */
const ACTIVE_IN = '60s';

/** `keys rotate`: a new key for what is sealed from then on; the old ones stay, to open what they sealed. */
export function keysRotateCommand(surroundings: Surroundings): Command {
  return new Command('rotate')
    .description('add a new key to the key file; what was sealed before still opens')
    .addOption(configOption())
    .option('--active-in <time>', 'when to begin to seal with it, e.g. 60s', ACTIVE_IN)
    .action(({ config: asked, activeIn }: { config?: string; activeIn: string }) => {
      const { clock, random, out } = surroundings;
      const activeInMs = requireDuration('--active-in', activeIn);
      const { file } = configFrom(asked, surroundings).keys;
      const ring = rotateKeyFile(file, random, clock, activeInMs);
      const key = ring.keys.at(-1);
      out(
        `${file} has the new key ${key?.id}. Every running serve seals with it in ${activeIn}, without a restart.`,
      );
      out('Keep a new copy of the key file: older copies do not have this key.');
    });
}
