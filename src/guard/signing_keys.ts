import type { PublishedKeys } from '../homeserver/homeserver.ts';
import { isJsonObject, type Json, type JsonObject } from '../matrix/wire.ts';
import { canonicalJson } from '../uia/canonical_body.ts';

/**
 * Whether an upload of cross-signing keys changes nothing that stands, so that the specification asks for no
 * proof (client-server API, `POST /keys/device_signing/upload`): the first one, or one that repeats the keys.
 */
export function needsNoProof(upload: JsonObject, published: PublishedKeys): boolean {
  if (published.masterKey === undefined) return true;
  return (
    repeats(upload.master_key, published.masterKey) &&
    repeats(upload.self_signing_key, published.selfSigningKey) &&
    repeats(upload.user_signing_key, published.userSigningKey)
  );
}

/** Signatures do not count: others sign the keys later on. */
function repeats(uploaded: Json | undefined, published: JsonObject | undefined): boolean {
  if (uploaded === undefined || uploaded === null) return true;
  if (!isJsonObject(uploaded) || published === undefined) return false;
  return ['keys', 'usage', 'user_id'].every(
    (part) => canonicalJson(uploaded[part] ?? null) === canonicalJson(published[part] ?? null),
  );
}
