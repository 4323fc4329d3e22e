import { createHash } from 'node:crypto';

/**
 * The SHA-256 of a token, nonce or id that no one can guess, in hex: what stands in the store instead of it, so that a
 * reader of the database cannot use it (R11).
 */
export function hashToken(token: string | Buffer): string {
  return createHash('sha256').update(token).digest('hex');
}
