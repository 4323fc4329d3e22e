import { ask, type Query } from '../statement.ts';

/** A value that only a key of the ring opens. */
export interface SealedSeed {
  readonly id: string;
  readonly userId: string;
  /** Sealed with the identity `authenticator:<id>:<userId>`. */
  readonly sealedSeed: Buffer;
}

/** The next `most` seeds of authenticators by their ids. */
export function listSealedSeeds(afterId: string, most: number): Query<SealedSeed> {
  return ask(
    `SELECT id, user_id AS "userId", sealed_seed AS "sealedSeed" FROM authenticators
     WHERE id > :afterId ORDER BY id LIMIT :most`,
    { afterId, most },
  );
}

/** The keys that the hashes of recovery codes, of good codes of operators, and of open claim codes were mixed with. */
export function listPepperKeys(): Query<{ readonly keyId: string }> {
  return ask(
    `SELECT pepper_key_id AS "keyId" FROM recovery_sets
     UNION SELECT pepper_key_id FROM emergency_codes WHERE expires_at > :now
     UNION SELECT pepper_key_id FROM recovery_requests WHERE state IN ('waiting', 'open') ORDER BY 1`,
  );
}
