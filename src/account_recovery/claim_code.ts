import { timingSafeEqual } from 'node:crypto';
import type { RecoverySetDeps } from '../factors/recovery/new_recovery_set.ts';
import { newCode, readCode, showRecoveryCode } from '../factors/recovery/recovery_code.ts';
import { recoveryTag } from '../factors/recovery/recovery_hasher.ts';
import type { ClaimHash } from '../storage/tables/recovery_requests.ts';

/** 16 characters of 5 bits: it cannot be guessed, so no wrong one ends a request. */
const LENGTH = 16;
const SALT_BYTES = 16;
const PREFIX = 'claim-';

/** A new claim code: what is shown, once, and what is kept. */
export interface FreshClaim {
  /** As people see it: `claim-xxxx-xxxx-xxxx-xxxx`. */
  readonly shown: string;
  readonly claim: ClaimHash;
}

/** @throws Refusal limit_exceeded if too many hashes are waiting */
export async function newClaim(
  userId: string,
  { vault, random, hasher }: Omit<RecoverySetDeps, 'clock'>,
): Promise<FreshClaim> {
  const code = newCode(random, LENGTH);
  const salt = random.bytes(SALT_BYTES);
  const { keyId, secret: pepper } = vault.pepper();
  const hashedWith = { userId, salt, pepper };
  const hash = await hasher.hash(code, hashedWith, `claim ${salt.toString('hex')}`);
  const claim = { salt, pepperKeyId: keyId, hash, tag: recoveryTag(code, hashedWith) };
  return { shown: PREFIX + showRecoveryCode(code), claim };
}

/** Whose claim code it must be, and where it came from. */
export interface TypedClaim {
  readonly userId: string;
  readonly typed: string;
  /** The network: one hash of it waits at once. */
  readonly network: string;
}

/**
 * Whether a code is the one of this claim. A slow hash is made only for one that may be right.
 * @throws Refusal limit_exceeded if too many hashes are waiting
 */
export async function isClaim(
  { userId, typed, network }: TypedClaim,
  { salt, pepperKeyId, hash, tag }: ClaimHash,
  { vault, hasher }: Pick<RecoverySetDeps, 'vault' | 'hasher'>,
): Promise<boolean> {
  const code = readCode(typed.trim().replace(/^claim/i, ''), LENGTH);
  if (code === undefined) return false;
  const hashedWith = { userId, salt, pepper: vault.pepper(pepperKeyId).secret };
  if (recoveryTag(code, hashedWith) !== tag) return false;
  const made = await hasher.hash(code, hashedWith, network);
  return timingSafeEqual(Buffer.from(made, 'hex'), Buffer.from(hash, 'hex'));
}
