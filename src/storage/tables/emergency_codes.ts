import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** The hash of a code that an operator gave out, as that of a recovery code. */
export interface EmergencyCode {
  readonly salt: Buffer;
  /** The key of the ring that the pepper was derived from. */
  readonly pepperKeyId: string;
  readonly hash: string;
  readonly tag: number;
}

/** Puts a code in the place of the one before, and answers when it ends. Lost for a user without 2FA. */
export function putEmergencyCode(
  userId: string,
  { salt, pepperKeyId, hash, tag }: EmergencyCode,
  validForMs: number,
): Decision<{ readonly expiresAt: number }> {
  return decide(
    `INSERT INTO emergency_codes (user_id, salt, pepper_key_id, hash, tag, created_at, expires_at)
       SELECT :userId, :salt, :pepperKeyId, :hash, :tag, :now, :now + :validForMs
       WHERE EXISTS (SELECT 1 FROM authenticators WHERE user_id = :userId)
     ON CONFLICT (user_id) DO UPDATE SET salt = excluded.salt, pepper_key_id = excluded.pepper_key_id,
       hash = excluded.hash, tag = excluded.tag, created_at = excluded.created_at,
       expires_at = excluded.expires_at
     RETURNING expires_at AS "expiresAt"`,
    { userId, salt, pepperKeyId, hash, tag, validForMs },
  );
}

/** The code that a user has and has not used, until its end. */
export function findEmergencyCode(userId: string): Query<EmergencyCode> {
  return ask(
    `SELECT salt, pepper_key_id AS "pepperKeyId", hash, tag FROM emergency_codes
     WHERE user_id = :userId AND expires_at > :now`,
    { userId },
  );
}

/** The one write that accepts a code (R8): it is gone then. */
export function spendEmergencyCode(userId: string, hash: string): Decision<object> {
  return decide(
    'DELETE FROM emergency_codes WHERE user_id = :userId AND hash = :hash AND expires_at > :now',
    {
      userId,
      hash,
    },
  );
}

/** Drops the code of a user who has no authenticator left. */
export function dropEmergencyCodeWithoutFactor(userId: string): Effect {
  return effect(
    `DELETE FROM emergency_codes WHERE user_id = :userId
       AND NOT EXISTS (SELECT 1 FROM authenticators WHERE authenticators.user_id = :userId)`,
    { userId },
  );
}

export function dropEndedEmergencyCodes(): Effect {
  return dropSome('emergency_codes', 'expires_at <= :now');
}
