import { createHmac } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { hashRaw } from '@node-rs/argon2';
import { Refusal } from '../../matrix/refusals.ts';
import { FairQueue, type Turn } from '../../system/fair_queue.ts';

/**
 * Argon2id with 19 MiB, 2 passes, 1 lane: the first choice of the OWASP Password Storage Cheat Sheet. A code
 * has 60 random bits and the hash a pepper that is not in the database; more would only cost logins time.
 */
const ARGON2 = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };

/** Argon2 runs at once, and waiting: guesses must not starve the logins of others (attack 90). */
const MOST_HASHES_AT_ONCE = 2;
const HASHES_WAITING = 256;
/** What a client is told to wait when there is no room, in ms. */
const RETRY_AFTER_MS = 1000;

/** What a hash is made of besides the code. */
export interface HashedWith {
  /** Whose code it is: a hash copied to another user's row opens nothing there (attack 83). */
  readonly userId: string;
  /** One for the whole set, so that one hash is compared with every code. */
  readonly salt: Buffer;
  /** From the key ring, never from the database. */
  readonly pepper: Buffer;
}

/** How many hashes run at once on a machine with so many cores: one core is left to everything else, where there are two. */
export function hashesAtOnce(cores: number): number {
  return Math.max(1, Math.min(MOST_HASHES_AT_ONCE, cores - 1));
}

/**
 * The line before the thread pool: users are served by turns, and from one source (a network, for a code that
 * was sent) one hash of a user waits (attack 140).
 */
export function hashingQueue(
  atOnce = hashesAtOnce(availableParallelism()),
  waiting = HASHES_WAITING,
): FairQueue {
  const full = () => new Refusal('limit_exceeded', { limit: 'hashes', retryAfterMs: RETRY_AFTER_MS });
  return new FairQueue({ atOnce, waiting, waitingFromSource: 1, full });
}

/** Hashes recovery codes on the thread pool, never on the main thread (attack 90). */
export class RecoveryHasher {
  constructor(private readonly queue: FairQueue) {}

  /** How many hashes wait. */
  get waiting(): number {
    return this.queue.waiting;
  }

  /**
   * The hash of a canonical code, in hex.
   * @param source where the work comes from: a network, or the set that is being made
   * @throws Refusal `limit_exceeded` if too many hashes are waiting.
   */
  hash(code: string, { userId, salt, pepper }: HashedWith, source: string): Promise<string> {
    return this.queue.run(turnOf(userId, source), async () => {
      // A canonical code has one length: nothing of it can pass for a part of the user id.
      const hash = await hashRaw(`${code} ${userId}`, { ...ARGON2, salt, secret: pepper });
      return hash.toString('hex');
    });
  }
}

/**
 * 16 bits of a canonical code that tell all but one of 65,536 wrong codes without a slow hash. Someone who has database
 * and key file is left with 44 of its 60 bits to try by Argon2.
 */
export function recoveryTag(code: string, { userId, salt, pepper }: HashedWith): number {
  const digest = createHmac('sha256', pepper).update(salt).update(`tag ${code} ${userId}`).digest();
  return digest.readUInt16BE();
}

function turnOf(userId: string, source: string): Turn {
  return { party: userId, source: `${userId} ${source}` };
}
