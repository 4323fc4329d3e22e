import { AuditKeys } from '../../src/audit/audit_keys.ts';
import { type Verdict, verifyAudit } from '../../src/audit/verification.ts';
import { ask, type Driver } from '../../src/storage/statement.ts';
import { listAuditKeys } from '../../src/storage/tables/audit_chains.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { testVault } from '../support/test_vault.ts';

/** What `audit verify` finds. */
export async function verified(
  storage: Pick<Driver, 'read'>,
  exported: ReadonlyMap<string, string> = new Map(),
  vault: Vault = testVault(),
): Promise<Verdict> {
  const kept = await storage.read(listAuditKeys());
  return verifyAudit({ read: (query) => storage.read(query), keys: new AuditKeys(vault, kept), exported });
}

/** The macs of all entries, as an export has them. */
export async function exportedFrom(storage: Pick<Driver, 'read'>): Promise<Map<string, string>> {
  const rows = await storage.read(
    ask<{ chain: number; n: number; mac: string }>('SELECT chain, n, mac FROM audit WHERE chain IS NOT NULL'),
  );
  return new Map(rows.map(({ chain, n, mac }) => [`${chain} ${n}`, mac]));
}
