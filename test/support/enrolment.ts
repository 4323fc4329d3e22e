import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import { generateSync } from 'otplib';
import type { Attempt, Detail, Factor } from '../../src/factors/factor.ts';
import { type GivenCode, readGivenCode } from '../../src/factors/given_code.ts';
import { newRecoverySet } from '../../src/factors/recovery/new_recovery_set.ts';
import { hashingQueue, RecoveryHasher } from '../../src/factors/recovery/recovery_hasher.ts';
import { newSeed } from '../../src/factors/totp/totp_seed.ts';
import type { TotpSettings } from '../../src/factors/totp/totp_settings.ts';
import { foldLocalpart } from '../../src/matrix/user_id.ts';
import type { Json } from '../../src/matrix/wire.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { Enrolled as EnrolledFactors } from '../../src/storage/tables/authenticators.ts';
import type { FactorStore } from '../../src/storage/tables/factors.ts';
import type { Clock } from '../../src/system/clock.ts';
import { randomId, systemRandom } from '../../src/system/random.ts';
import type { Vault } from '../../src/vault/vault.ts';

export const totpSettings: TotpSettings = {
  issuer: 'Example',
  window: 1,
  algorithm: 'sha1',
  digits: 6,
  period: 30,
};

export const testHasher = new RecoveryHasher(hashingQueue(2));

const crypto = new NodeCryptoPlugin();

/** The code that an authenticator app with this seed shows at `time` (ms), `steps` steps later. */
export function codeAt(seed: Buffer, time: number, steps = 0): string {
  const epoch = Math.floor(time / 1000) + steps * totpSettings.period;
  return generateSync({ secret: seed, crypto, epoch, algorithm: 'sha1', digits: 6, period: 30 });
}

/**
 * The code of the machine's clock, for a process that has it, too. There is none for the step before: it is out as soon
 * as the step turns, and a busy machine takes its time. Where two codes are needed, the present one comes first.
 */
export function codeNow(seed: Buffer, steps: 0 | 1 = 0, clockOffMs = 0): string {
  return codeAt(seed, Date.now() + clockOffMs, steps);
}

/** A six-digit code that is none of those that `seed` yields near `time`. */
export function wrongCode(seed: Buffer, time: number): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => codeAt(seed, time, steps));
  return (
    ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !near.includes(code)) ?? ''
  );
}

export interface Enrolled {
  readonly userId: string;
  readonly authenticatorId: string;
  readonly seed: Buffer;
  /** As they were shown. */
  readonly recoveryCodes: readonly string[];
}

/** Turns 2FA on for `userId` as the two-factor API does; by default with an enrolment step of long ago. */
export async function enrol(
  parts: { store: FactorStore; vault: Vault; clock: Clock },
  userId: string,
  options: { step?: number; recoveryCodes?: number } = {},
): Promise<Enrolled> {
  const { store, vault, clock } = parts;
  const now = clock.now();
  const seed = newSeed(systemRandom);
  const setupId = randomId(systemRandom);
  const authenticatorId = randomId(systemRandom);
  await store.beginSetup({
    id: setupId,
    userId,
    kind: 'totp',
    name: 'phone',
    sealedSeed: vault.seal(seed, `setup:${setupId}:${userId}`),
    tokenHash: 'hash',
    expiresAt: now + 60_000,
    failures: 0,
    replaces: [],
  });
  const fresh = await newRecoverySet(
    { userId, count: options.recoveryCodes ?? 3 },
    {
      vault,
      clock,
      random: systemRandom,
      hasher: testHasher,
    },
  );
  await store.activate({
    setupId,
    userId,
    authenticatorId,
    foldedLocalpart: foldLocalpart(userId),
    sealedSeed: vault.seal(seed, `authenticator:${authenticatorId}:${userId}`),
    step: options.step ?? 0,
    wasOn: await store.isEnrolled(userId),
    replaced: [],
    recovery: fresh.set,
  });
  return { userId, authenticatorId, seed, recoveryCodes: fresh.shown };
}

/** What came of a code. */
export type Judged = { readonly accepted: true; readonly detail: Detail } | { readonly accepted: false };

/** A code as somebody sent it. */
export interface SentToken {
  readonly userId: string;
  readonly token: string;
  readonly network: string;
}

/** What a factor is asked for a code: no session matters to it. */
export function attempt({ userId, token, network }: SentToken): [Attempt, Json] {
  return [{ userId, session: 'no session', network }, token];
}

/** Has a factor look at a code and, if it is right, spends it: without a throttle before it. */
export async function judge(storage: Storage, factor: Factor, sent: SentToken): Promise<Judged> {
  const verdict = await factor.verify(...attempt(sent));
  if (verdict.is !== 'match') return { accepted: false };
  const spent = await storage.commit([sent.userId], verdict.spend);
  return spent === undefined ? { accepted: false } : { accepted: true, detail: verdict.detail };
}

/** A code as it came, read as every door reads it. */
export function givenCode(value: Json | undefined): GivenCode {
  const code = readGivenCode(value);
  if (code === undefined) throw new Error('this is not a code: it is missing');
  return code;
}

/** What a user has enrolled, as it is looked up for all factors at once. */
export async function requireEnrolled(store: FactorStore, userId: string): Promise<EnrolledFactors> {
  const enrolled = await store.owing(userId);
  if (enrolled === undefined) throw new Error(`${userId} has no second factor`);
  return enrolled;
}

/** The secret in a set-up's answer: base32 (RFC 4648) without padding. */
export function seedIn(text: unknown): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...String(text)]
    .map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
