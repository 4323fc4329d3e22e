import { userInfo } from 'node:os';
import { Audit } from '../audit/audit.ts';
import { chainSeals } from '../audit/macs.ts';
import type { Config } from '../config/config.ts';
import { Outbox } from '../notify/outbox.ts';
import { Chain } from '../storage/chain.ts';
import type { Driver } from '../storage/statement.ts';
import { readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import type { Surroundings } from './surroundings.ts';

const LONGEST_NAME = 64;

/**
 * The audit of a command, which has a chain of its own. A running `serve` notifies owners of what it puts on record,
 * as of everything else.
 * @param notices false: it is not told
 * @throws KeyFileError before anything was done
 */
export async function operatorAudit(
  config: Config,
  storage: Pick<Driver, 'commit'>,
  surroundings: Surroundings,
  notices = true,
): Promise<Audit> {
  const { clock, random } = surroundings;
  const vault = new SealingVault(await readKeys(config.keys.source), random);
  const outbox = new Outbox({ notify: () => config.notify, random });
  return new Audit({
    ...{ storage, clock, chain: new Chain(chainSeals(vault)), operator: operatorName(surroundings) },
    ...(notices && { consequences: (record) => outbox.consequencesOf(record) }),
  });
}

/** Who runs the command: under sudo the one who called it. */
export function operatorName({ environment }: Pick<Surroundings, 'environment'>): string {
  const { SUDO_USER: caller } = environment;
  return (caller === undefined || caller === '' ? ownName() : caller).slice(0, LONGEST_NAME);
}

/** A user of a container need not have a name. */
function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? '');
  }
}
