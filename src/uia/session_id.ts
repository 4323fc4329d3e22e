import { createHash } from 'node:crypto';
import { type RandomSource, randomId } from '../system/random.ts';

/** Our session ids begin like this; the homeserver's do not. */
const PREFIX = 'm2fa_';
/** The prefix and 160 bits of base64url. */
const PATTERN = /^m2fa_[A-Za-z0-9_-]{27}$/;

/** A new, unguessable session id. */
export function newSessionId(random: RandomSource): string {
  return PREFIX + randomId(random);
}

/** Whether `id` is written like our session ids. Another one may belong to the homeserver. */
export function isSessionId(id: string): boolean {
  return PATTERN.test(id);
}

/** The key that a session is stored under: with the id itself a reader of the database could use the session (R11). */
export function hashSessionId(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
