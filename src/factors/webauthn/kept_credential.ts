import { createHash } from 'node:crypto';

/** What an authenticator has sealed: what its signatures are judged by. */
export interface KeptCredential {
  /** In base64url, as browsers write it. */
  readonly id: string;
  /** The COSE key, in base64url. */
  readonly publicKey: string;
  /** What its user is called by authenticators: random, and the same for all that the user has. */
  readonly userHandle: string;
  readonly rpId: string;
  readonly transports: readonly string[];
  /** Whether copies of it may be kept elsewhere: that never changes. */
  readonly backupEligible: boolean;
  /** Whether it can be found without its id; null if the browser did not say. */
  readonly discoverable: boolean | null;
}

/** What a set-up keeps sealed between its two requests. */
export interface KeptQuestion {
  readonly challenge: string;
  readonly userHandle: string;
}

export function sealable(kept: KeptCredential | KeptQuestion): Buffer {
  return Buffer.from(JSON.stringify(kept));
}

/** Only what `sealable` made is ever in a seal of this factor. */
export function readCredential(opened: Buffer): KeptCredential {
  return JSON.parse(opened.toString()) as KeptCredential;
}

export function readQuestion(opened: Buffer): KeptQuestion {
  return JSON.parse(opened.toString()) as KeptQuestion;
}

/** The hash by which a credential is found among those of all accounts. */
export function hashOfCredential(id: string): string {
  return createHash('sha256').update(Buffer.from(id, 'base64url')).digest('hex');
}
