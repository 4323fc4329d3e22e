import { Command } from 'commander';
import { keptAuditKey } from '../audit/audit_keys.ts';
import type { Config } from '../config/config.ts';
import { KNOWN_SCHEMA, lookAtDatabase } from '../storage/look.ts';
import { nameOfDatabase } from '../storage/open_storage.ts';
import type { Storage } from '../storage/storage.ts';
import { countDevicePasswordsUnder } from '../storage/tables/device_passwords.ts';
import { listProcesses } from '../storage/tables/processes.ts';
import { countPeppered } from '../storage/tables/sealed_values.ts';
import { MINUTE, SECOND } from '../system/clock.ts';
import { DatabaseMarks, signedAgain } from '../vault/database_marks.ts';
import {
  activeKeyAt,
  describeKeys,
  type KeyRing,
  removeFromKeyFile,
  serialise,
  withoutKey,
} from '../vault/key_ring.ts';
import { type KeySettings, nameOfKeys, readKeys } from '../vault/key_source.ts';
import { countUnder, resealFrom } from '../vault/resealing.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { CommandFailed, UsageError } from './failures.ts';
import { configFrom, configOption } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted } from './text.ts';

/** What was begun under a key before the next one became active is written by then. */
const SETTLED_MS = MINUTE;
/** How often values that were written meanwhile are looked for. */
const ROUNDS = 3;
/** A line of progress after so many values. */
const TOLD_EVERY = 1_000;

interface RetireOptions {
  readonly config?: string;
  readonly stdout?: true;
}

/** `keys retire`: seals what is under an old key under the active one, and removes the old one. */
export function keysRetireCommand(surroundings: Surroundings): Command {
  return new Command('retire')
    .description('seal what is under a key that only opens under the active one, and remove that key')
    .argument('<id>', 'the key, as in keys list')
    .addOption(configOption())
    .option(
      '--stdout',
      'leave the keys as they are, and print the key file without the key, secrets included',
    )
    .action((id: string, options: RetireOptions) => retire(id, options, surroundings));
}

async function retire(id: string, options: RetireOptions, surroundings: Surroundings): Promise<void> {
  const config = configFrom(options.config, surroundings);
  const { source } = config.keys;
  if (options.stdout !== true && !('file' in source)) {
    throw new UsageError(
      `${nameOfKeys(source)} cannot be written; --stdout prints the keys without this one`,
    );
  }
  await requireKnownSchema(config, surroundings);
  const ring = await readKeys(source);
  requireOld(id, ring, surroundings.clock.now());
  await withStore(config, surroundings, async (storage) => {
    await requireUnneeded(id, ring, { storage, surroundings });
    await resealAll(id, ring, { storage, surroundings });
    const vault = new SealingVault(ring, surroundings.random, { clock: surroundings.clock });
    await storage.commit([], keptAuditKey(vault, id));
    await requireUnneeded(id, ring, { storage, surroundings });
  });
  await removeKey(id, ring, config.keys, options, surroundings);
}

/**
 * Beside a newer version on one database this one works, but it does not know all values that the newer one sealed.
 * @throws CommandFailed
 */
async function requireKnownSchema({ storage }: Config, { clock }: Surroundings): Promise<void> {
  const { version } = (await lookAtDatabase(storage, clock)).schema;
  if (version <= KNOWN_SCHEMA) return;
  throw new CommandFailed(
    `${nameOfDatabase(storage)} may hold what this version does not know: take keys retire of the newer version`,
  );
}

/** @throws CommandFailed unless the key has not sealed for a while */
function requireOld(id: string, ring: KeyRing, now: number): void {
  const key = describeKeys(ring, now).find((each) => each.id === id);
  if (key === undefined) throw new CommandFailed(`there is no key ${id}; keys list shows them`);
  if (key.state === 'active') {
    throw new CommandFailed(`${id} is the active key; keys rotate makes another one to take its place`);
  }
  if (key.state === 'pending') throw new CommandFailed(`${id} is not active yet; it is needed from then on`);
  const activeFor = now - (activeKeyAt(ring, now).activeFrom ?? 0);
  if (activeFor < SETTLED_MS) {
    const left = Math.ceil((SETTLED_MS - activeFor) / SECOND);
    throw new CommandFailed(`${id} was active a moment ago; it can be retired in ${left} s`);
  }
}

interface RetireParts {
  readonly storage: Storage;
  readonly surroundings: Surroundings;
}

/** @throws CommandFailed while a process seals with it, or sets of recovery codes need it */
async function requireUnneeded(
  id: string,
  ring: KeyRing,
  { storage, surroundings }: RetireParts,
): Promise<void> {
  const active = activeKeyAt(ring, surroundings.clock.now());
  const live = await storage.read(listProcesses());
  const behind = live.filter(({ sealingKey }) => sealingKey !== active.id);
  if (behind[0] !== undefined) {
    throw new CommandFailed(
      `${behind.length} of the ${live.length} running processes (one on ${behind[0].host}) do not seal with the ` +
        `active key ${active.id} yet`,
    );
  }
  const [peppered] = await storage.read(countPeppered(id));
  const { sets = 0, emergencyCodes = 0, claims = 0 } = peppered ?? {};
  if (sets > 0) {
    throw new CommandFailed(
      `${counted(sets, 'set')} of recovery codes cannot be checked without ${id}; their users have to renew them first`,
    );
  }
  const [digested] = await storage.read(countDevicePasswordsUnder(id));
  if (digested !== undefined && digested.count > 0) {
    throw new CommandFailed(
      `${counted(digested.count, 'device password')} cannot be checked without ${id}; each moves on to the active key ` +
        'at its next use, or is revoked',
    );
  }
  if (emergencyCodes > 0) {
    throw new CommandFailed(
      `${counted(emergencyCodes, 'emergency code')} cannot be checked without ${id}; make new ones, or wait for their end`,
    );
  }
  if (claims > 0) {
    throw new CommandFailed(
      `${counted(claims, 'account recovery', 'account recoveries')} could not be finished without ${id}; wait for their end`,
    );
  }
}

async function resealAll(id: string, ring: KeyRing, { storage, surroundings }: RetireParts): Promise<void> {
  const { clock, random, err } = surroundings;
  const vault = new SealingVault(ring, random, { clock });
  let told = 0;
  const progress = (done: number, all: number) => {
    if (done - told < TOLD_EVERY) return;
    told = done;
    err(`note: ${done} of ${all} values are done`);
  };
  let all = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const { done, broken } = await resealFrom(id, { storage, vault, progress });
    all += done;
    if (broken > 0) {
      throw new CommandFailed(`${counted(broken, 'value')} under ${id} cannot be opened with it; it stays`);
    }
    if ((await countUnder(storage, id)) === 0) {
      err(`note: ${counted(all, 'value')} sealed under the active key`);
      return;
    }
  }
  throw new CommandFailed(
    `values are written under ${id} all the time: a process that is not known seals with it`,
  );
}

async function removeKey(
  id: string,
  ring: KeyRing,
  settings: KeySettings,
  { stdout }: RetireOptions,
  { clock, out, err }: Surroundings,
): Promise<void> {
  const active = activeKeyAt(ring, clock.now());
  const { source } = settings;
  const isPrinted = stdout === true || !('file' in source);
  // In a key file that stays as it is the marks do, too: what is printed has them made again.
  if (!isPrinted || settings.marks !== undefined) new DatabaseMarks(settings, () => ring).signAgain(active);
  if (isPrinted) {
    // As they are by now: a key may have been added meanwhile.
    const printed = withoutKey(signedAgain(await readKeys(source), active), id, clock);
    out(...serialise(printed).trimEnd().split('\n'));
    err(`note: put this in place of ${nameOfKeys(source)}`);
    return;
  }
  removeFromKeyFile(source.file, id, clock);
  out(`${source.file} does not have the key ${id} any more.`);
  out('Backups from before need it: keep the older copy of the key file as long as you keep those.');
}
