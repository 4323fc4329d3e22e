import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { findLease, leaveLease, takeLease } from '../storage/tables/leases.ts';
import type { Vault } from '../vault/vault.ts';
import type { LeftInLine, LineLeases } from './line_leases.ts';

/** The leases of sign-ins that stand in line, in the store: all processes share them. */
export class StoredLineLeases implements LineLeases {
  constructor(private readonly deps: { readonly storage: Storage; readonly vault: Vault }) {}

  /** @throws StoreUnavailable */
  async take(line: string, holder: string, forMs: number): Promise<string | undefined> {
    const key = keyOf(line);
    const unit = when(takeLease(key, holder, forMs), { won: [], lost: findLease(key) });
    const answer = await this.deps.storage.commit([], unit);
    return answer.won ? undefined : answer.after[0]?.holder;
  }

  /** @throws StoreUnavailable */
  async leave(line: string, holder: string, left: LeftInLine | undefined): Promise<void> {
    const key = keyOf(line);
    // A refusal may repeat what was sent (R11).
    const sealed =
      left === undefined ? null : this.deps.vault.seal(JSON.stringify(left), identityOf(key, holder));
    await this.deps.storage.commit([], leaveLease(key, holder, sealed));
  }

  /** @throws StoreUnavailable */
  async look(line: string, holder: string): ReturnType<LineLeases['look']> {
    const key = keyOf(line);
    const [lease] = await this.deps.storage.read(findLease(key));
    if (lease?.holder !== holder) return { is: 'over', left: undefined };
    if (lease.taken === 1) return { is: 'under_way' };
    const sealed = lease.sealedOutcome;
    if (sealed === null) return { is: 'over', left: undefined };
    const plain = this.deps.vault.open(sealed, identityOf(key, holder)).toString();
    return { is: 'over', left: JSON.parse(plain) as LeftInLine };
  }
}

function keyOf(line: string): string {
  return `sign-in:${line}`;
}

function identityOf(key: string, holder: string): string {
  return `lease:${key}:${holder}`;
}
