import { createReadStream } from 'node:fs';
import { Command } from 'commander';
import { AuditKeys } from '../audit/audit_keys.ts';
import type { Fault } from '../audit/chain_walk.ts';
import { placeName, type Verdict, verifyAudit } from '../audit/verification.ts';
import type { Config } from '../config/config.ts';
import { nameOfDatabase, onWholeDatabase } from '../storage/open_storage.ts';
import { listAuditKeys } from '../storage/tables/audit_chains.ts';
import { readKeys } from '../vault/key_source.ts';
import { SealingVault } from '../vault/sealing_vault.ts';
import { CommandFailed, FAILED, ReportPrinted } from './failures.ts';
import { configFrom, configOption } from './options.ts';
import { requireNewestSchema } from './schema_of.ts';
import type { Surroundings } from './surroundings.ts';
import { counted } from './text.ts';

/** In characters. */
const LONGEST_LINE = 1024 * 1024;

interface VerifyOptions {
  readonly config?: string;
  readonly against?: string;
}

/** `audit verify`: whether every entry of the audit stands as it was written. */
export function auditVerifyCommand(surroundings: Surroundings): Command {
  return new Command('verify')
    .description('find entries that were changed, removed or added without the keys')
    .option('--against <file>', 'an export: finds a database that was put back to an earlier state, too')
    .addOption(configOption())
    .addHelpText('after', '\nWhat that proves, and what not, stands in docs/audit.md.')
    .action(({ config, against }: VerifyOptions) =>
      verify(configFrom(config, surroundings), against, surroundings),
    );
}

async function verify(
  config: Config,
  against: string | undefined,
  surroundings: Surroundings,
): Promise<void> {
  const exported = against === undefined ? new Map<string, string>() : await readExport(against);
  const vault = new SealingVault(await readKeys(config.keys.source), surroundings.random);
  const { storage } = config;
  const { clock, out } = surroundings;
  const { verdict, unknown } = await onWholeDatabase(storage, { access: 'read', clock }, async (database) => {
    await requireNewestSchema(database, nameOfDatabase(storage));
    const keys = new AuditKeys(vault, await database.write(listAuditKeys()));
    const read = async <Row>(query: Parameters<typeof database.write>[0]) =>
      (await database.write(query)) as unknown as Row[];
    return { verdict: await verifyAudit({ read, keys, exported }), unknown: [...keys.unknown] };
  });
  out(...linesOf(verdict, unknown));
  if (verdict.fault !== undefined) throw new ReportPrinted(FAILED);
}

function linesOf({ entries, chains, unprotected, fault }: Verdict, unknown: readonly string[]): string[] {
  if (fault !== undefined) {
    const keys = unknown.map((id) => `there is no key ${id}, with which entries were made`);
    return [textOf(fault), ...keys];
  }
  const before = `${counted(unprotected, 'older entry', 'older entries')} outside of all chains: nothing protects them`;
  return [
    `${counted(entries, 'entry', 'entries')} in ${counted(chains, 'chain')}`,
    ...(unprotected > 0 ? [before] : []),
  ];
}

function textOf({ chain, n, what }: Fault): string {
  if (chain > 0) return n > 0 ? `chain ${chain}, entry ${n}: ${what}` : `chain ${chain}: ${what}`;
  return n > 0 ? `an entry outside of all chains, number ${n}: ${what}` : `the count of the chains: ${what}`;
}

/** The macs of an export, by place. @throws CommandFailed */
async function readExport(file: string): Promise<ReadonlyMap<string, string>> {
  const macs = new Map<string, string>();
  let at = 0;
  for await (const line of linesIn(file)) {
    at += 1;
    if (line === '') continue;
    const { chain, n, mac } = parsed(line, `${file}, line ${at}`);
    if (typeof chain === 'number' && typeof n === 'number' && typeof mac === 'string') {
      macs.set(placeName({ chain, n }), mac);
    }
  }
  return macs;
}

/** One after the other: an export of a million entries is longer than a string can be. */
async function* linesIn(file: string): AsyncGenerator<string> {
  let rest = '';
  try {
    for await (const chunk of createReadStream(file, 'utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
      // No entry is so long: it is told as what it is, before all of it is read.
      if (rest.length > LONGEST_LINE) break;
    }
  } catch (error) {
    throw new CommandFailed(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
  yield rest;
}

function parsed(line: string, place: string): Readonly<Record<string, unknown>> {
  const isNot = () => new CommandFailed(`${place}: this is not an entry as audit export writes it`);
  try {
    const entry: unknown = JSON.parse(line);
    if (typeof entry !== 'object' || entry === null || !('chain' in entry && 'mac' in entry)) throw isNot();
    return { ...entry };
  } catch (error) {
    throw error instanceof CommandFailed ? error : isNot();
  }
}
