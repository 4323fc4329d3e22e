import { KNOWN_SCHEMA } from '../storage/look.ts';
import type { Query } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { findDatabaseIdentity } from '../storage/tables/database_identity.ts';
import { listPepperKeys, listSealedSeeds } from '../storage/tables/key_uses.ts';
import { countSealedElse } from '../storage/tables/sealed_values.ts';
import type { RandomSource } from '../system/random.ts';
import type { DatabaseMarks } from '../vault/database_marks.ts';
import type { KeyRing } from '../vault/key_ring.ts';
import { SealingVault, sealHeader } from '../vault/sealing_vault.ts';
import { SealBroken } from '../vault/vault.ts';

/** How far the keys fit what the database holds. */
export interface KeyFit {
  /** Authenticators that open, and those that do not. */
  readonly opened: number;
  readonly closed: number;
  /** Keys that recovery codes need and that are not in the ring. */
  readonly missing: readonly string[];
  /** Values of all kinds that are sealed under keys which are not in the ring; not counted in an older schema. */
  readonly lost: number;
}

const AT_ONCE = 500;

/** A database as it is, perhaps of an older schema. */
export interface ReadDatabase {
  readonly schema: number;
  readonly read: <Row>(query: Query<Row>) => Promise<Row[]>;
}

export async function keyFit(database: ReadDatabase, ring: KeyRing, random: RandomSource): Promise<KeyFit> {
  const vault = new SealingVault(ring, random);
  const peppers = (await database.read(listPepperKeys(database.schema))).map(({ keyId }) => keyId);
  const missing = peppers.filter((keyId) => !ring.keys.some(({ id }) => id === keyId));
  const lost = await countLost(database, ring);
  let [opened, closed, after] = [0, 0, ''];
  for (;;) {
    const seeds = await database.read(listSealedSeeds(after, AT_ONCE));
    const open = seeds.filter(({ id, userId, sealedSeed }) =>
      opens(vault, sealedSeed, `authenticator:${id}:${userId}`),
    ).length;
    opened += open;
    closed += seeds.length - open;
    const last = seeds.at(-1);
    if (last === undefined || seeds.length < AT_ONCE) return { opened, closed, missing, lost };
    after = last.id;
  }
}

export function doFit({ closed, missing, lost }: KeyFit): boolean {
  return closed === 0 && missing.length === 0 && lost === 0;
}

async function countLost({ schema, read }: ReadDatabase, { keys }: KeyRing): Promise<number> {
  if (schema < KNOWN_SCHEMA) return 0;
  const [found] = await read(countSealedElse(keys.map(({ id }) => sealHeader(id))));
  return found?.count ?? 0;
}

function opens(vault: SealingVault, sealed: Buffer, identity: string): boolean {
  try {
    vault.open(sealed, identity);
    return true;
  } catch (error) {
    if (error instanceof SealBroken) return false;
    throw error;
  }
}

/**
 * Which database it is: the `marked` one; a `foreign` one, while another is marked; one with users who have 2FA on that
 * is `not_marked_yet`; or one where there is `nothing_to_mark`.
 * @throws KeyFileError
 */
export async function markOf(
  storage: Storage,
  marks: DatabaseMarks,
): Promise<'marked' | 'foreign' | 'not_marked_yet' | 'nothing_to_mark'> {
  const [identity] = await storage.read(findDatabaseIdentity());
  const isEnrolled = identity !== undefined && identity.firstEnrolledAt !== null;
  if (!marks.any()) return isEnrolled ? 'not_marked_yet' : 'nothing_to_mark';
  return isEnrolled && marks.has(identity.id) ? 'marked' : 'foreign';
}
