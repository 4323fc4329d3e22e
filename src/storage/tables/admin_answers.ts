import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** A request that came with a key of its own. */
export interface KeyedRequest {
  /** Made of the key and who sent it. */
  readonly key: string;
  /** A digest of all that the request asks for. */
  readonly requestDigest: string;
}

/** What is known of a key. */
export interface KeptAnswer {
  readonly requestDigest: string;
  /** Sealed with the identity `admin-answer:<key>`; null while the request is carried out. */
  readonly sealedAnswer: Buffer | null;
}

/** How long one process may carry out a request before another one may, and how long its answer is kept. */
export interface KeptTimes {
  readonly takenMs: number;
  readonly keptMs: number;
}

/**
 * Takes a request, to carry it out. Lost if it was carried out, another process is carrying it out, or the key was
 * used for another request.
 */
export function takeKeyedRequest(
  { key, requestDigest }: KeyedRequest,
  holder: string,
  { takenMs, keptMs }: KeptTimes,
): Decision<object> {
  return decide(
    `INSERT INTO admin_answers (key, request_digest, holder, taken_until, sealed_answer, expires_at)
     VALUES (:key, :requestDigest, :holder, :now + :takenMs, NULL, :now + :keptMs)
     ON CONFLICT (key) DO UPDATE
       SET request_digest = excluded.request_digest, holder = excluded.holder,
         taken_until = excluded.taken_until, sealed_answer = NULL, expires_at = excluded.expires_at
       WHERE admin_answers.expires_at <= :now
         OR (admin_answers.sealed_answer IS NULL AND admin_answers.taken_until <= :now
           AND admin_answers.request_digest = excluded.request_digest)`,
    { key, requestDigest, holder, takenMs, keptMs },
  );
}

export function findKeptAnswer(key: string): Query<KeptAnswer> {
  return ask(
    `SELECT request_digest AS "requestDigest", sealed_answer AS "sealedAnswer"
     FROM admin_answers WHERE key = :key AND expires_at > :now`,
    { key },
  );
}

export function keepAnswer(key: string, holder: string, sealedAnswer: Buffer): Effect {
  return effect(
    'UPDATE admin_answers SET sealed_answer = :sealedAnswer WHERE key = :key AND holder = :holder',
    {
      key,
      holder,
      sealedAnswer,
    },
  );
}

/** What was refused was not carried out: the same request may come again. */
export function forgetKeyedRequest(key: string, holder: string): Effect {
  return effect('DELETE FROM admin_answers WHERE key = :key AND holder = :holder', { key, holder });
}

export function dropOldAnswers(): Effect {
  return dropSome('admin_answers', 'expires_at <= :now');
}
