import { Refusal } from '../matrix/refusals.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { answerRefusal } from './answer_refusal.ts';
import type { Asker, CallHomeserver, PublishedKeys } from './homeserver.ts';

/**
 * The cross-signing keys and the devices with keys that a user has published.
 *
 * @param userId the full id of the token's owner: the user-signing key is shown to its owner only
 * @throws Refusal unknown_token, limit_exceeded or homeserver_unclear: "could not say" is never "has no keys",
 *   which would open the first upload
 */
export async function publishedKeys(
  call: CallHomeserver,
  token: string,
  userId: string,
  { client, signal }: Asker,
): Promise<PublishedKeys> {
  const answer = await call({
    method: 'POST',
    path: '/_matrix/client/v3/keys/query',
    token,
    body: { device_keys: { [userId]: [] } },
    client,
    signal,
  });
  if (answer.status !== 200) throw answerRefusal(answer);
  const { json } = answer;
  if (json === undefined || Object.keys(partOf(json, 'failures')).length > 0) {
    throw new Refusal('homeserver_unclear');
  }
  return {
    masterKey: keyOf(json, 'master_keys', userId),
    selfSigningKey: keyOf(json, 'self_signing_keys', userId),
    userSigningKey: keyOf(json, 'user_signing_keys', userId),
    devices: new Set(Object.keys(keyOf(json, 'device_keys', userId) ?? {})),
  };
}

function keyOf(json: JsonObject, part: string, userId: string): JsonObject | undefined {
  const key = partOf(json, part)[userId];
  if (key === undefined) return undefined;
  if (!isJsonObject(key)) throw new Refusal('homeserver_unclear');
  return key;
}

/** A map of the answer; some homeservers leave empty ones out. */
function partOf(json: JsonObject, part: string): JsonObject {
  const map = json[part] ?? {};
  if (!isJsonObject(map)) throw new Refusal('homeserver_unclear');
  return map;
}
