import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** What a factor asks a client to answer, for one session of one user. */
export interface KeptChallenge {
  /** The hash of the session's id. */
  readonly session: string;
  /** The kind of the factor. */
  readonly kind: string;
  readonly userId: string;
  /** Sealed by the factor, with the identity `challenge:<session>`. */
  readonly sealed: Buffer;
}

/** Keeps a challenge for `forMs`; the one that the session had before is void. */
export function keepChallenge(challenge: KeptChallenge, forMs: number): Effect {
  return effect(
    `INSERT INTO challenges (session_hash, kind, user_id, sealed, expires_at)
     VALUES (:session, :kind, :userId, :sealed, :now + :forMs)
     ON CONFLICT (session_hash, kind) DO UPDATE
       SET user_id = excluded.user_id, sealed = excluded.sealed, expires_at = excluded.expires_at`,
    { ...challenge, forMs },
  );
}

/** The live challenge of a session, so that it can be repeated until it is answered. */
export function findChallenge(
  session: string,
  kind: string,
  userId: string,
): Query<{ readonly sealed: Buffer }> {
  return ask(
    `SELECT sealed FROM challenges
     WHERE session_hash = :session AND kind = :kind AND user_id = :userId AND expires_at > :now`,
    { session, kind, userId },
  );
}

/**
 * Takes the challenge for the one answer that is looked at, right or wrong: it is committed before that (R8). Lost if
 * there is none, or another answer took it.
 */
export function burnChallenge(
  session: string,
  kind: string,
  userId: string,
): Decision<{ readonly sealed: Buffer }> {
  return decide(
    `DELETE FROM challenges
     WHERE session_hash = :session AND kind = :kind AND user_id = :userId AND expires_at > :now RETURNING sealed`,
    { session, kind, userId },
  );
}

export function dropEndedChallenges(): Effect {
  return dropSome('challenges', 'expires_at <= :now');
}
