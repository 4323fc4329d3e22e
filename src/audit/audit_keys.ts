import type { ChainHead } from '../storage/chain.ts';
import type { Effect } from '../storage/statement.ts';
import { type KeptAuditKey, keepAuditKey } from '../storage/tables/audit_chains.ts';
import { SealBroken, type Vault } from '../vault/vault.ts';
import type { MacKeys } from './chain_walk.ts';
import { type AuditKey, chainSeals } from './macs.ts';

type AuditVault = Pick<Vault, 'seal' | 'open' | 'auditKey'>;

/** Keeps what checks the macs of a key that is about to be removed from the ring, sealed by the active key. */
export function keptAuditKey(vault: AuditVault, keyId: string): Effect {
  const { secret } = vault.auditKey(keyId);
  return keepAuditKey({ keyId, sealed: vault.seal(secret, identityOf(keyId)) });
}

/** The keys of the ring, and those that were kept of it. */
export class AuditKeys implements MacKeys {
  /** The ids of keys that macs name and that are missing. */
  readonly unknown = new Set<string>();
  private readonly known = new Map<string, AuditKey>();

  constructor(
    private readonly vault: AuditVault,
    kept: readonly KeptAuditKey[],
  ) {
    for (const { keyId, sealed } of kept) {
      const secret = opened(() => vault.open(sealed, identityOf(keyId)));
      if (secret !== undefined) this.known.set(keyId, { keyId, secret });
    }
  }

  keyOf(keyId: string): AuditKey {
    const known = this.known.get(keyId) ?? opened(() => this.vault.auditKey(keyId));
    if (known === undefined) this.unknown.add(keyId);
    const key = known ?? { keyId: '', secret: Buffer.alloc(0) };
    this.known.set(keyId, key);
    return key;
  }

  openHead(chain: number, sealed: Buffer): ChainHead | undefined {
    return chainSeals(this.vault).open(chain, sealed);
  }
}

function identityOf(keyId: string): string {
  return `audit-key:${keyId}`;
}

function opened<Found>(open: () => Found): Found | undefined {
  try {
    return open();
  } catch (error) {
    if (error instanceof SealBroken) return undefined;
    throw error;
  }
}
