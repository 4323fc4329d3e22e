import { Command } from 'commander';
import { type RingKey, rotateKeyFile, serialise, withNewKey } from '../vault/key_ring.ts';
import { nameOfKeys, readKeys } from '../vault/key_source.ts';
import { UsageError } from './failures.ts';
import { configFrom, configOption, requireDuration } from './options.ts';
import type { Surroundings } from './surroundings.ts';

/** All processes have read the keys again by then. */
const ACTIVE_IN = '60s';

interface RotateOptions {
  readonly config?: string;
  readonly activeIn: string;
  readonly stdout?: true;
}

/** `keys rotate`: a new key for what is sealed from then on; the old ones stay, to open what they sealed. */
export function keysRotateCommand(surroundings: Surroundings): Command {
  return new Command('rotate')
    .description('add a new key; what was sealed before still opens')
    .addOption(configOption())
    .option('--active-in <time>', 'when to begin to seal with it, e.g. 60s', ACTIVE_IN)
    .option('--stdout', 'change nothing, and print the key file with the new key, secrets included')
    .action((options: RotateOptions) => rotate(options, surroundings));
}

async function rotate({ config: asked, activeIn, stdout }: RotateOptions, surroundings: Surroundings) {
  const { clock, random, out, err } = surroundings;
  const activeInMs = requireDuration('--active-in', activeIn);
  const { source } = configFrom(asked, surroundings).keys;
  if (stdout === true) {
    const ring = withNewKey(await readKeys(source), random, clock, activeInMs);
    out(...serialise(ring).trimEnd().split('\n'));
    const begins = momentOf(ring.keys.at(-1));
    err(
      `note: this belongs in place of ${nameOfKeys(source)} before ${begins}, when the new key becomes active`,
    );
    return;
  }
  if (!('file' in source)) {
    throw new UsageError(
      `${nameOfKeys(source)} cannot be written; --stdout prints the keys with the new one, to be put there`,
    );
  }
  const key = rotateKeyFile(source.file, random, clock, activeInMs).keys.at(-1);
  out(
    `${source.file} has the new key ${key?.id}. Every running serve seals with it in ${activeIn}, without a restart.`,
  );
  out('Keep a new copy of the key file: older copies do not have this key.');
}

function momentOf(key: RingKey | undefined): string {
  return new Date(key?.activeFrom ?? 0).toISOString();
}
