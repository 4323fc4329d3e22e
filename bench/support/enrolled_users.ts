import type { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import type { Vault } from '../../src/vault/vault.ts';

/** Turns 2FA on for a user through the store, without recovery codes, whose hashes take their time. @returns the seed */
export async function enrolThroughStore(
  { factors }: Pick<Storage, 'factors'>,
  vault: Vault,
  userId: string,
  tokenHash = 'hash',
): Promise<Buffer> {
  const seed = systemRandom.bytes(20);
  const now = systemClock.now();
  const setupId = `setup-${userId}`;
  const authenticatorId = `authenticator-${userId}`;
  await factors.beginSetup({
    id: setupId,
    userId,
    kind: 'totp',
    name: 'phone',
    sealedSeed: vault.seal(seed, `setup:${setupId}:${userId}`),
    tokenHash,
    expiresAt: now + 60_000,
    failures: 0,
    replaces: [],
  });
  await factors.activate({
    setupId,
    userId,
    authenticatorId,
    foldedLocalpart: userId.slice(1, userId.indexOf(':')),
    sealedSeed: vault.seal(seed, `authenticator:${authenticatorId}:${userId}`),
    step: 0,
    wasOn: false,
    replaced: [],
    recovery: {
      salt: systemRandom.bytes(16),
      pepperKeyId: vault.pepper().keyId,
      hashes: [],
      tags: [],
      generatedAt: now,
    },
  });
  return seed;
}
