import { hashRaw } from '@node-rs/argon2';
import type { BoundedQueue } from './bounded_queue.ts';

/**
 * Argon2id with 19 MiB, 2 passes, 1 lane: the first choice of the OWASP Password Storage Cheat Sheet. A code
 * has 60 random bits and the hash a pepper that is not in the database; more would only cost logins time.
 */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

/** What a hash is made of besides the code. */
export interface HashedWith {
  /** Whose code it is: a hash copied to another user's row opens nothing there (attack 83). */
  readonly userId: string;
  /** Of the whole set, so that one hash is compared with every code. */
  readonly salt: Buffer;
  /** From the key ring, never from the database. */
  readonly pepper: Buffer;
}

/** Hashes recovery codes on the thread pool, never on the main thread (attack 90). */
export class RecoveryHasher {
  constructor(private readonly queue: BoundedQueue) {}

  /** @throws Refusal `limit_exceeded` if too many hashes are waiting. */
  requireRoom(): void {
    this.queue.requireRoom();
  }

  /**
   * The hash of a canonical code, in hex.
   * @throws Refusal `limit_exceeded` if too many hashes are waiting.
   */
  hash(code: string, { userId, salt, pepper }: HashedWith): Promise<string> {
    return this.queue.run(async () => {
      // A canonical code has one length: nothing of it can pass for a part of the user id.
      const hash = await hashRaw(`${code} ${userId}`, { ...ARGON2, salt, secret: pepper });
      return hash.toString('hex');
    });
  }
}
