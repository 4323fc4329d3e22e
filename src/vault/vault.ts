/**
 * Seals what must not stand in the database in the clear: AES-256-GCM under a key of the ring, with the
 * row's identity as associated data, so that a sealed value copied into another row does not open.
 */
export interface Vault {
  /** Seals `plain` for the row named by `identity`. The key id stands in the result. */
  seal(plain: Buffer | string, identity: string): Buffer;
  /** Opens what `seal` made; throws `SealBroken` if it is for another row, altered, or its key is not in the ring. */
  open(sealed: Buffer, identity: string): Buffer;
  /**
   * A keyed digest for comparing secrets without keeping them; differs by `purpose`. It names its key: the id, a dot,
   * and the HMAC-SHA-256 in hex.
   */
  digest(purpose: string, value: string): string;
  /**
   * The digests of `value` under each key with which a digest may have been made that lives for `livesMs`, that of the
   * active key first: what was stored under another key, before a rotation or by a process whose clock goes wrong, is
   * still found.
   */
  digests(purpose: string, value: string, livesMs: number): readonly string[];
  /** Whether `digest` is the one of `value` under the key that it names, compared in constant time. */
  isDigest(digest: string, purpose: string, value: string): boolean;
  /** The pepper for recovery codes under a key of the ring (the active one by default). */
  pepper(keyId?: string): { readonly keyId: string; readonly secret: Buffer };
  /** The key of the macs of the audit, under a key of the ring (the active one by default). @throws SealBroken */
  auditKey(keyId?: string): { readonly keyId: string; readonly secret: Buffer };
}

export class SealBroken extends Error {
  constructor(cause?: unknown) {
    super('a sealed value does not open', { cause });
    this.name = 'SealBroken';
  }
}
