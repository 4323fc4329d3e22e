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

/** Where hashes stand that were mixed with a key, and the schema that brought each. */
const PEPPERED = [
  { since: 1, from: 'recovery_sets' },
  { since: 21, from: 'emergency_codes WHERE expires_at > :now' },
  { since: 34, from: "recovery_requests WHERE state IN ('waiting', 'open')" },
];

/**
 * The keys that the hashes of recovery codes, of good codes of operators, and of open claim codes were mixed with, in a
 * database of this schema: one that is not migrated yet is looked at as it is.
 */
export function listPepperKeys(schema: number): Query<{ readonly keyId: string }> {
  const there = PEPPERED.filter(({ since }) => since <= schema);
  const each = there.map(({ from }) => `SELECT pepper_key_id AS "keyId" FROM ${from}`);
  return ask(`${each.join(' UNION ')} ORDER BY 1`);
}
