import { expect } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import { when } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { spendStep as spendStepOf } from '../../src/storage/tables/authenticators.ts';
import { claimHold, type HeldLogin, takeHold } from '../../src/storage/tables/holds.ts';
import { countAttempt } from '../../src/storage/tables/lanes.ts';
import { type NewRecoverySet, spendRecoveryCode } from '../../src/storage/tables/recovery_sets.ts';
import type { SessionLimits } from '../../src/storage/tables/session_limits.ts';
import type { StoredSession } from '../../src/storage/tables/sessions.ts';
import type { Setup } from '../../src/storage/tables/setups.ts';
import { entryOn, type GivenRecord } from '../support/entries.ts';

export const ALICE = '@alice:hs.example';
export const BOB = '@bob:hs.example';
export const NOW = Date.UTC(2030, 0, 1);
export const MINUTE = 60_000;

/** Starts `count` calls at once, in turn on each of the replicas. */
export function raceOf<T>(
  count: number,
  [one, other]: readonly [Storage, Storage],
  call: (storage: Storage, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index % 2 === 0 ? one : other, index)));
}

export function setup(userId: string, different: Partial<Setup> = {}): Setup {
  return {
    id: `setup-1-${userId}`,
    userId,
    kind: 'totp',
    name: 'phone',
    sealedSeed: Buffer.from('sealed seed'),
    tokenHash: 'token hash',
    expiresAt: NOW + 10 * MINUTE,
    failures: 0,
    replaces: [],
    ...different,
  };
}

export type Confirmation = Parameters<Storage['factors']['activate']>[0];

export function confirmation(userId: string, different: Partial<Confirmation> = {}): Confirmation {
  return {
    setupId: `setup-1-${userId}`,
    userId,
    authenticatorId: `authenticator-of-${different.setupId}`,
    foldedLocalpart: userId.slice(1, userId.indexOf(':')),
    sealedSeed: Buffer.from('sealed anew'),
    step: 100,
    wasOn: false,
    replaced: [],
    recovery: recoverySet('1'),
    ...different,
  };
}

/** Three codes `hash-<set>-1` and so on. */
export function recoverySet(set: string): NewRecoverySet {
  return {
    salt: Buffer.from(`salt ${set}`),
    pepperKeyId: 'key',
    hashes: [1, 2, 3].map((position) => `hash-${set}-${position}`),
    tags: [1, 2, 3],
    generatedAt: NOW,
  };
}

/** Enrols `userId` with the authenticator `authenticator-<number>-<userId>`, and recovery codes of set <number>. */
export async function enrol(
  storage: Storage,
  userId: string,
  { number = 1, step = 100, recovery = recoverySet(`${number}`) } = {},
): Promise<void> {
  const setupId = `setup-${number}-${userId}`;
  await storage.factors.beginSetup(setup(userId, { id: setupId }));
  const authenticatorId = `authenticator-${number}-${userId}`;
  const activated = await storage.factors.activate(
    confirmation(userId, { setupId, authenticatorId, step, recovery, wasOn: number > 1 }),
  );
  expect(activated).toBe(true);
}

/** So many sessions in each pot, and no other limit. */
export function upTo(perPot: number): SessionLimits {
  return { perPot, perUser: 9999, perHoldOrToken: 9999 };
}

export function session(different: Partial<StoredSession> & { idHash: string }): StoredSession {
  return {
    sealedId: Buffer.from('sealed id'),
    target: 'login v3',
    userId: ALICE,
    tokenHash: null,
    flows: [['a', 'b']],
    completed: [],
    sealedBody: null,
    bodyDigest: null,
    sealedPassword: null,
    sealedToken: null,
    deviceId: null,
    holdId: null,
    version: null,
    pot: 'login',
    network: null,
    address: null,
    failures: 0,
    createdAt: NOW,
    expiresAt: NOW + 10 * MINUTE,
    ...different,
  };
}

export function held(different: Partial<HeldLogin> & { id: string }): HeldLogin {
  return {
    userId: ALICE,
    deviceId: 'DEVICE',
    joinKey: null,
    foldedJoinKey: null,
    ownerJoinKey: null,
    sealedGrant: Buffer.from('sealed grant'),
    atEnd: 'logout',
    createdAt: NOW,
    expiresAt: NOW + 5 * MINUTE,
    ...different,
  };
}

/** Spends a step; the time of its use is the store's. */
export async function spendStep(
  storage: Storage,
  userId: string,
  authenticatorId: string,
  step: number,
): Promise<boolean> {
  const spent = await storage.commit([userId], spendStepOf(userId, { authenticatorId, step }));
  return spent !== undefined;
}

/** The position of a recovery code that this call has spent. */
export async function spendCode(storage: Storage, userId: string, hash: string): Promise<number | undefined> {
  const spent = await storage.commit([userId], spendRecoveryCode(userId, hash));
  return spent?.position;
}

export function countFailure(storage: Storage, userId: string): Promise<object | undefined> {
  return storage.commit([userId], countAttempt(userId, 'elsewhere', LANE_RULES));
}

/** Claims a hold; whether it was won. */
export async function claim(storage: Storage, id: string, claimant: string, until: number): Promise<boolean> {
  return (await storage.commit([], claimHold(id, claimant, until))) !== undefined;
}

/** Takes a hold out, with what is put on record; whether it was won. */
export async function take(storage: Storage, id: string, record: GivenRecord | null): Promise<boolean> {
  const won = record === null ? [] : entryOn(storage, record);
  return (await storage.commit([], when(takeHold(id), { won, lost: [] }))).won;
}
