import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** Hashes of a new set of recovery codes, in the order in which they are shown. */
export interface NewRecoverySet {
  readonly salt: Buffer;
  /** The key of the ring that the pepper was derived from. */
  readonly pepperKeyId: string;
  readonly hashes: readonly string[];
  /** A tag for each hash, by which a wrong code is told without hashing it (`recoveryTag`). */
  readonly tags: readonly number[];
  readonly generatedAt: number;
}

export interface RecoverySet {
  readonly salt: Buffer;
  readonly pepperKeyId: string;
  readonly generatedAt: number;
  readonly codes: readonly RecoveryCode[];
}

export interface RecoveryCode {
  /** 1-based. */
  readonly position: number;
  readonly hash: string;
  /** Null in sets that were made before there were tags. */
  readonly tag: number | null;
  readonly usedAt: number | null;
}

/** How many codes of a set are left. */
export function codesLeftIn({ codes }: Pick<RecoverySet, 'codes'>): number {
  return codes.filter(({ usedAt }) => usedAt === null).length;
}

/** A set with one of its codes: a row for each. */
export interface RecoveryRow {
  readonly salt: Buffer;
  readonly pepperKeyId: string;
  readonly generatedAt: number;
  readonly position: number;
  readonly hash: string;
  readonly tag: number | null;
  readonly usedAt: number | null;
}

/** Puts a set in the place of the old one; lost for a user without 2FA. Its codes follow by `putRecoveryCodes`. */
export function putRecoverySet(
  userId: string,
  { salt, pepperKeyId, generatedAt }: NewRecoverySet,
): Decision<object> {
  return decide(
    `INSERT INTO recovery_sets (user_id, salt, pepper_key_id, generated_at)
       SELECT :userId, :salt, :pepperKeyId, :generatedAt
       WHERE EXISTS (SELECT 1 FROM authenticators WHERE user_id = :userId)
     ON CONFLICT (user_id) DO UPDATE SET salt = excluded.salt,
       pepper_key_id = excluded.pepper_key_id, generated_at = excluded.generated_at`,
    { userId, salt, pepperKeyId, generatedAt },
  );
}

/** The codes of the set; those of the one before are dead at once. */
export function putRecoveryCodes(userId: string, { hashes, tags }: NewRecoverySet): readonly Effect[] {
  return [
    effect('DELETE FROM recovery_codes WHERE user_id = :userId', { userId }),
    ...hashes.map((hash, index) =>
      effect(
        `INSERT INTO recovery_codes (user_id, position, hash, tag, used_at)
         VALUES (:userId, :position, :hash, :tag, NULL)`,
        { userId, position: index + 1, hash, tag: tags[index] ?? null },
      ),
    ),
  ];
}

/** The codes go with their set. */
export function deleteRecoverySet(userId: string): Decision<object> {
  return decide('DELETE FROM recovery_sets WHERE user_id = :userId', { userId });
}

/** Deletes the codes of a user who has no authenticator left. */
export function deleteRecoverySetWithoutFactor(userId: string): Effect {
  return effect(
    `DELETE FROM recovery_sets WHERE user_id = :userId
       AND NOT EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :userId)`,
    { userId },
  );
}

/** In the order in which the codes are shown. */
export function findRecoveryRows(userId: string): Query<RecoveryRow> {
  return ask(
    `SELECT salt, pepper_key_id AS "pepperKeyId", generated_at AS "generatedAt",
       position, hash, tag, used_at AS "usedAt"
     FROM recovery_sets JOIN recovery_codes ON recovery_codes.user_id = recovery_sets.user_id
     WHERE recovery_sets.user_id = :userId ORDER BY position`,
    { userId },
  );
}

/** Accepts a code (R8): it was not used before. */
export function spendRecoveryCode(userId: string, hash: string): Decision<{ readonly position: number }> {
  return decide(
    `UPDATE recovery_codes SET used_at = :now
     WHERE user_id = :userId AND hash = :hash AND used_at IS NULL RETURNING position`,
    { userId, hash },
  );
}
