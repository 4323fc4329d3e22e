import { ask, type Effect, effect, type Query } from '../statement.ts';

/** A key that signs ID tokens. */
export interface OauthKey {
  /** The name of the key, which its tokens have in their header. */
  readonly kid: string;
  /** The private key, sealed with the identity `oauth-key:<kid>`. */
  readonly sealedKey: Buffer;
  /** A JWK, as JSON. */
  readonly publicJwk: string;
}

/** Keeps the first key. Of several processes that make one at once, the key of one is kept. */
export function keepFirstKey(key: OauthKey): Effect {
  return effect(
    `INSERT INTO oauth_keys (number, kid, sealed_key, public_jwk, created_at)
     VALUES (1, :kid, :sealedKey, :publicJwk, :now) ON CONFLICT DO NOTHING`,
    { ...key },
  );
}

/** The newest first: it signs. */
export function listKeys(): Query<OauthKey> {
  return ask(
    'SELECT kid, sealed_key AS "sealedKey", public_jwk AS "publicJwk" FROM oauth_keys ORDER BY number DESC',
  );
}
