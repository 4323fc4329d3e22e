import { type Effect, effect } from '../statement.ts';

/** Keeps the tokens that the homeserver has renewed, before any of them is used. Nothing where the session has ended. */
export function keepRenewedTokens(sessionId: string, presentedHash: string, sealedTokens: Buffer): Effect {
  return effect(
    `UPDATE oauth_sessions SET sealed_tokens = :sealedTokens
     WHERE session_id = :sessionId AND refresh_hash = :presentedHash AND ended_at IS NULL`,
    { sessionId, presentedHash, sealedTokens },
  );
}
