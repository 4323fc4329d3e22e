import { generateKeyPairSync } from 'node:crypto';
import type { RealUser } from '../support/real_app.ts';

/** The body of an upload. A type, not an interface, so that it is a JSON object too. */
type MasterKey = {
  readonly master_key: {
    readonly user_id: string;
    readonly usage: string[];
    readonly keys: Record<string, string>;
  };
};

/** A new cross-signing master key as it is uploaded: its public half names it. */
export function masterKey({ userId }: RealUser): MasterKey {
  const { publicKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const key = raw.toString('base64').replaceAll('=', '');
  return { master_key: { user_id: userId, usage: ['master'], keys: { [`ed25519:${key}`]: key } } };
}
