import { Command } from 'commander';
import { Pruning } from '../audit/pruning.ts';
import { randomId } from '../system/random.ts';
import { readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { CommandFailed } from './failures.ts';
import { configFrom, configOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted } from './text.ts';

/** `audit prune`: what `serve` does every hour, now. */
export function auditPruneCommand(surroundings: Surroundings): Command {
  return new Command('prune')
    .description('remove entries and shorten addresses that are older than the settings audit.* keep them')
    .addOption(configOption())
    .action(async ({ config: asked }: { config?: string }) => {
      const { clock, random, out } = surroundings;
      const config = configFrom(asked, surroundings);
      const vault = new SealingVault(await readKeys(config.keys.source), random, { clock });
      const pruned = await withStore(config, surroundings, (storage) =>
        new Pruning({ storage, vault, clock, holder: randomId(random), settings: config.audit }).prune(),
      );
      if (pruned === undefined) throw new CommandFailed('another process prunes the audit now');
      const { removed, shortened } = pruned;
      out(
        `${counted(removed, 'entry', 'entries')} removed, ${counted(shortened, 'address', 'addresses')} shortened.`,
      );
    });
}
