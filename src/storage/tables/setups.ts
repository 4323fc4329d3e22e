import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** An enrolment that waits for its first code. It is not an authenticator yet and opens nothing. */
export interface Setup {
  readonly id: string;
  readonly userId: string;
  /** Of which factor. */
  readonly kind: string;
  readonly name: string;
  /** Sealed with the identity `setup:<id>:<userId>`. */
  readonly sealedSeed: Buffer;
  /** SHA-256 of the access token that began it, or the name of the sign-in session: only these may confirm it. */
  readonly tokenHash: string;
  readonly expiresAt: number;
  readonly failures: number;
}

export function keepSetup(setup: Setup): Effect {
  return effect(
    `INSERT INTO setups (id, user_id, kind, name, sealed_seed, token_hash, expires_at, failures)
     VALUES (:id, :userId, :kind, :name, :sealedSeed, :tokenHash, :expiresAt, :failures)`,
    { ...setup },
  );
}

export function dropSetups(userId: string): Effect {
  return effect('DELETE FROM setups WHERE user_id = :userId', { userId });
}

export function dropExpiredSetups(): Effect {
  return effect('DELETE FROM setups WHERE expires_at <= :now');
}

export function findSetup(id: string): Query<Setup> {
  return ask(
    `SELECT id, user_id AS "userId", kind, name, sealed_seed AS "sealedSeed", token_hash AS "tokenHash",
       expires_at AS "expiresAt", failures
     FROM setups WHERE id = :id AND expires_at > :now`,
    { id },
  );
}

/** Lost while another confirmation has it, or if it is gone. */
export function takeSetup(id: string, until: number): Decision<object> {
  return decide(
    'UPDATE setups SET taken_until = :until WHERE id = :id AND expires_at > :now AND taken_until <= :now',
    { id, until },
  );
}

export function giveSetupBack(id: string): Effect {
  return effect('UPDATE setups SET taken_until = 0 WHERE id = :id', { id });
}

/** Takes it for good, for one confirmation: the unit drops it when it has become an authenticator. */
export function confirmSetup(id: string, userId: string): Decision<object> {
  return decide(
    'UPDATE setups SET taken_until = :now WHERE id = :id AND user_id = :userId AND expires_at > :now',
    { id, userId },
  );
}

/** Counts a wrong first code. */
export function countSetupFailure(id: string): Decision<{ readonly failures: number }> {
  return decide('UPDATE setups SET failures = failures + 1 WHERE id = :id RETURNING failures', { id });
}

/** Drops a set-up that had as many wrong first codes as it may. */
export function dropFailedSetup(id: string, limit: number): Effect {
  return effect('DELETE FROM setups WHERE id = :id AND failures >= :limit', { id, limit });
}
