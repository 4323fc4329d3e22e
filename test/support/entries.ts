import { chainSeals } from '../../src/audit/macs.ts';
import { type AuditRecord, Chain } from '../../src/storage/chain.ts';
import type { Driver, Entry } from '../../src/storage/statement.ts';
import { testVault } from './test_vault.ts';

/** What tests say of an entry. */
export type GivenRecord = Pick<AuditRecord, 'at' | 'userId' | 'event'> & Partial<AuditRecord>;

export function record(given: GivenRecord): AuditRecord {
  return { actor: 'user', address: null, deviceId: null, requestId: null, detail: {}, ...given };
}

const chains = new WeakMap<object, Chain>();

/** The chain that tests write on this store, as one more process does. */
export function chainOf(storage: object): Chain {
  const known = chains.get(storage) ?? new Chain(chainSeals(testVault()));
  chains.set(storage, known);
  return known;
}

export function entryOn(storage: object, given: GivenRecord): Entry {
  return { does: 'enter', record: record(given), chain: chainOf(storage) };
}

/** Puts an entry on record by itself. */
export async function enter(storage: Pick<Driver, 'commit'>, given: GivenRecord): Promise<void> {
  await storage.commit([], entryOn(storage, given));
}
