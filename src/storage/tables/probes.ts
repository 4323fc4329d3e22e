import { ask, type Effect, effect, type Query } from '../statement.ts';

/** How long a nonce of `doctor` counts, in ms. */
export const PROBE_MS = 60_000;

/** Keeps the hash of a nonce for a minute, and drops those whose minute is over. */
export function keepProbe(nonceHash: string): readonly Effect[] {
  return [
    effect('DELETE FROM probes WHERE expires_at <= :now OR expires_at > :now + :lifetime', {
      lifetime: PROBE_MS,
    }),
    effect(
      `INSERT INTO probes (nonce_hash, expires_at) VALUES (:nonceHash, :now + :lifetime)
       ON CONFLICT (nonce_hash) DO UPDATE SET expires_at = excluded.expires_at`,
      { nonceHash, lifetime: PROBE_MS },
    ),
  ];
}

/** The nonce does not count any more. */
export function dropProbe(nonceHash: string): Effect {
  return effect('DELETE FROM probes WHERE nonce_hash = :nonceHash', { nonceHash });
}

/** One row if the nonce counts now. A time further ahead than its minute was written while the clock was wrong. */
export function findProbe(nonceHash: string): Query<{ readonly live: number }> {
  return ask(
    `SELECT 1 AS live FROM probes
     WHERE nonce_hash = :nonceHash AND expires_at > :now AND expires_at <= :now + :lifetime`,
    { nonceHash, lifetime: PROBE_MS },
  );
}
