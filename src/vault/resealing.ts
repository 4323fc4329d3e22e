import type { Decision } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  countSealed,
  findSealed,
  replaceSealed,
  SEALED_COLUMNS,
  type SealedColumn,
  type SealedValue,
} from '../storage/tables/sealed_values.ts';
import { sealHeader } from './sealing_vault.ts';
import { SealBroken, type Vault } from './vault.ts';

/** How many accounts are locked at once. */
const BATCH = 100;

/** What became of the values under a key. */
export interface Resealed {
  readonly done: number;
  /** Those that do not open: they stay as they are. */
  readonly broken: number;
}

interface ResealingDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  /** Opens the values under the old key, and seals them under the active one. */
  readonly vault: Vault;
  /** Hears after each batch how many values have been looked at, of all that there were at the beginning. */
  progress(done: number, all: number): void;
}

/** How many values are sealed under a key. @throws StoreUnavailable */
export async function countUnder(storage: Pick<Storage, 'read'>, keyId: string): Promise<number> {
  const [found] = await storage.read(countSealed(sealHeader(keyId)));
  return found?.count ?? 0;
}

/**
 * Seals every value under a key once more, under the active one. Each batch is a unit of its own, and a value that
 * was changed meanwhile is left alone: it can be cut off anywhere, and is run again from the beginning.
 * @throws StoreUnavailable
 */
export async function resealFrom(keyId: string, deps: ResealingDeps): Promise<Resealed> {
  const all = await countUnder(deps.storage, keyId);
  let done = 0;
  let broken = 0;
  for (const place of SEALED_COLUMNS) {
    for (let after = -1; ; ) {
      const batch = await deps.storage.read(findSealed(place, sealHeader(keyId), after, BATCH));
      const last = batch.at(-1);
      if (last === undefined) break;
      after = last.row;
      const writes = batch.flatMap((value) => replacing(place, value, deps.vault));
      await commitBatch(place, batch, writes, deps.storage);
      done += writes.length;
      broken += batch.length - writes.length;
      deps.progress(done + broken, all);
    }
  }
  return { done, broken };
}

/** None where it does not open. */
function replacing(place: SealedColumn, value: SealedValue, vault: Vault): Decision<object>[] {
  try {
    const plain = vault.open(value.sealed, value.identity);
    return [replaceSealed(place, value, vault.seal(plain, value.identity))];
  } catch (error) {
    if (error instanceof SealBroken) return [];
    throw error;
  }
}

/** Rows that are not a user's have a unit each, so that no two units wait for each other. */
async function commitBatch(
  place: SealedColumn,
  batch: readonly SealedValue[],
  writes: readonly Decision<object>[],
  storage: ResealingDeps['storage'],
): Promise<void> {
  if (place.user === null) {
    for (const write of writes) await storage.commit([], write);
    return;
  }
  const users = new Set(batch.flatMap(({ user }) => (user === null ? [] : [user])));
  await storage.commit([...users], writes);
}
