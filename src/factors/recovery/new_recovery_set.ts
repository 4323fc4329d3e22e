import type { NewRecoverySet } from '../../storage/tables/recovery_sets.ts';
import type { Clock } from '../../system/clock.ts';
import type { RandomSource } from '../../system/random.ts';
import type { Vault } from '../../vault/vault.ts';
import { newRecoveryCode, showRecoveryCode } from './recovery_code.ts';
import { type RecoveryHasher, recoveryTag } from './recovery_hasher.ts';

const SALT_BYTES = 16;

/** A new set of recovery codes: what is shown, once, and what is kept. */
export interface FreshRecoveryCodes {
  /** As people see them, in order. */
  readonly shown: readonly string[];
  readonly set: NewRecoverySet;
}

/** What a set is made with. */
export interface RecoverySetDeps {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly hasher: RecoveryHasher;
}

/**
 * Makes `count` new codes for a user, with one salt.
 * @throws Refusal `limit_exceeded` if too many hashes are waiting.
 */
export async function newRecoverySet(
  { userId, count }: { readonly userId: string; readonly count: number },
  deps: RecoverySetDeps,
): Promise<FreshRecoveryCodes> {
  const salt = deps.random.bytes(SALT_BYTES);
  const pepper = deps.vault.pepper();
  const codes = distinctCodes(count, deps.random);
  // One after the other: a set must not push the guesses and logins of others out of the queue.
  const hashes: string[] = [];
  const hashedWith = { userId, salt, pepper: pepper.secret };
  const source = `set ${salt.toString('hex')}`;
  for (const code of codes) {
    hashes.push(await deps.hasher.hash(code, hashedWith, source));
  }
  return {
    shown: codes.map(showRecoveryCode),
    set: {
      salt,
      pepperKeyId: pepper.keyId,
      hashes,
      tags: codes.map((code) => recoveryTag(code, hashedWith)),
      generatedAt: deps.clock.now(),
    },
  };
}

function distinctCodes(count: number, random: RandomSource): string[] {
  const codes = new Set<string>();
  while (codes.size < count) codes.add(newRecoveryCode(random));
  return [...codes];
}
