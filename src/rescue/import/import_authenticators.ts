import type { Audit } from '../../audit/audit.ts';
import type { TotpSettings } from '../../factors/totp/totp_settings.ts';
import { foldLocalpart } from '../../matrix/user_id.ts';
import { type Write, when } from '../../storage/statement.ts';
import type { Storage } from '../../storage/storage.ts';
import { nameAccount } from '../../storage/tables/accounts.ts';
import { beginImport, importedAuthenticator } from '../../storage/tables/imported.ts';
import { endProofs } from '../../storage/tables/proofs.ts';
import { type Clock, SECOND } from '../../system/clock.ts';
import { type RandomSource, randomId } from '../../system/random.ts';
import type { Vault } from '../../vault/vault.ts';
import { type AlsoWritten, NOTHING_MORE } from '../help.ts';
import { type ImportChoices, type ImportedAuthenticator, ImportJudge, type Remark } from './judge.ts';
import { type ImportFormat, readImport } from './read_import.ts';

/** What an import is asked to do. */
export interface ImportOrder extends ImportChoices {
  readonly format: ImportFormat;
  readonly bytes: Buffer;
  /** Look only. */
  readonly dryRun: boolean;
}

/** What came of it, as programs read it. Where there are errors nothing was written. */
export interface ImportReport {
  /** Users, or those who would be. */
  readonly imported: number;
  readonly skipped: readonly Remark[];
  readonly errors: readonly Remark[];
}

export interface ImportDeps {
  readonly storage: Storage;
  readonly audit: Audit;
  readonly by?: string | undefined;
  readonly vault: Vault;
  readonly random: RandomSource;
  readonly totp: TotpSettings;
  /** The clock for the time steps of codes. */
  readonly machineClock: Clock;
}

/** Apps show a name of their own; this one is for the account page. */
const USUAL_NAME = 'Authenticator app';

/**
 * Takes over authenticators of another program: all users of the file in one commit, or none. No code of a step up to
 * now is good here: it may have been used there.
 * @throws ImportFileError if the file as a whole cannot be read
 */
export async function importAuthenticators(
  order: ImportOrder,
  deps: ImportDeps,
  also: AlsoWritten<ImportReport> = NOTHING_MORE,
): Promise<ImportReport> {
  const entries = readImport(order.format, order.bytes);
  for (;;) {
    const enrolled = new Set(await deps.storage.factors.enrolledUsers());
    const judge = new ImportJudge(deps.totp, order, (userId) => enrolled.has(userId));
    const { taken, skipped, errors } = judge.judge(entries);
    if (errors.length > 0) return { imported: 0, skipped, errors };
    const report = { imported: taken.size, skipped, errors };
    if (order.dryRun || taken.size === 0) return report;
    if (await write(taken, deps, { format: order.format, also: also(report) })) return report;
    // One of them turned 2FA on since they were looked at: now they are named.
  }
}

/** False if one of the users has 2FA on: nothing is written then. */
async function write(
  users: ReadonlyMap<string, readonly ImportedAuthenticator[]>,
  deps: ImportDeps,
  { format, also }: { readonly format: ImportFormat; readonly also: Write },
): Promise<boolean> {
  const lastStep = Math.floor(deps.machineClock.now() / SECOND / deps.totp.period);
  const writes = [...users].flatMap(([userId, authenticators]) => [
    nameAccount(userId, foldLocalpart(userId)),
    ...authenticators.map(({ seed, name = USUAL_NAME }) => {
      const id = randomId(deps.random, 96);
      const sealedSeed = deps.vault.seal(seed, `authenticator:${id}:${userId}`);
      return importedAuthenticator({ id, userId, name, sealedSeed, lastStep });
    }),
    ...endProofs(userId),
    ...deps.audit.recorded({
      userId,
      event: 'operator.imported',
      actor: deps.by,
      detail: { authenticators: authenticators.length, from: format },
    }),
  ]);
  const ids = [...users.keys()];
  return (await deps.storage.commit(ids, when(beginImport(ids), { won: [...writes, also], lost: 'undo' })))
    .won;
}
