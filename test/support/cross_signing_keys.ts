import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Json, JsonObject } from '../../src/matrix/wire.ts';

/** A body for `/keys/device_signing/upload` with real ed25519 keys and signatures. */
export interface CrossSigningUpload {
  readonly master_key: JsonObject;
  readonly self_signing_key: JsonObject;
  readonly user_signing_key: JsonObject;
}

/** Fresh cross-signing keys of a user, the two lower ones signed by the master key. */
export function makeCrossSigningKeys(userId: string): CrossSigningUpload {
  const master = makeKey();
  const signedByMaster = (usage: string): JsonObject => {
    const key = describe(userId, usage, makeKey().id);
    const signature = sign(null, Buffer.from(canonical(key)), master.secret);
    return { ...key, signatures: { [userId]: { [master.id]: unpadded(signature) } } };
  };
  return {
    master_key: describe(userId, 'master', master.id),
    self_signing_key: signedByMaster('self_signing'),
    user_signing_key: signedByMaster('user_signing'),
  };
}

function makeKey(): { readonly id: string; readonly secret: KeyObject } {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
  return { id: `ed25519:${unpadded(raw)}`, secret: privateKey };
}

function describe(userId: string, usage: string, keyId: string): JsonObject {
  return { user_id: userId, usage: [usage], keys: { [keyId]: keyId.replace('ed25519:', '') } };
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

/** Canonical JSON (appendices, "Canonical JSON"): keys sorted, nothing between tokens. */
function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
  return `{${members.join(',')}}`;
}
