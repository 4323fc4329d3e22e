import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { LANE_RULES } from '../../src/limits/throttle.ts';
import type {
  HeldLogin,
  NewRecoverySet,
  SessionLimits,
  Setup,
  Storage,
  StoredSession,
} from '../../src/storage/stores.ts';
import { StoreUnavailable } from '../../src/storage/stores.ts';
import { findHistory } from '../../src/storage/tables/audit.ts';
import {
  countRenaming,
  renameAuthenticator,
  waitForRenaming,
} from '../../src/storage/tables/authenticator_names.ts';
import { spendStep as spendStepOf } from '../../src/storage/tables/authenticators.ts';
import { findDatabaseIdentity } from '../../src/storage/tables/database_identity.ts';
import { countAttempt, lanesOf } from '../../src/storage/tables/lanes.ts';
import { spendRecoveryCode } from '../../src/storage/tables/recovery_sets.ts';
import { endWrongTimes } from '../../src/storage/tables/wrong_times.ts';
import type { ManualClock } from '../support/manual_clock.ts';
import { timed } from './timed.ts';

/** A store with what the contract needs beside it. */
export interface StorageUnderTest {
  readonly storage: Storage;
  /** What the store takes for the time. */
  readonly clock: ManualClock;
  /** A second connection to the same database, as another process has one. */
  openAnother(): Promise<Storage>;
  /** Takes the database away; the answer brings it back. */
  takeAway(): Promise<() => Promise<void>>;
  /** Closes and removes everything. */
  dispose(): Promise<void>;
}

const ALICE = '@alice:hs.example';
const BOB = '@bob:hs.example';
const NOW = Date.UTC(2030, 0, 1);
const MINUTE = 60_000;

/** What every store must do, whatever database is behind it. */
export function describeStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(name, () => {
    let opened: StorageUnderTest;
    let storage: Storage;

    beforeEach(async () => {
      const { clock, ...found } = await open();
      opened = {
        ...found,
        clock,
        storage: timed(found.storage, clock),
        openAnother: async () => timed(await found.openAnother(), clock),
      };
      storage = opened.storage;
    });

    afterEach(() => opened.dispose());

    /** Every test of a race runs its calls spread over two connections. */
    async function replicas(): Promise<[Storage, Storage]> {
      return [storage, await opened.openAnother()];
    }

    describe('factors', () => {
      test('nobody is enrolled at first', async () => {
        expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
        expect(await storage.factors.anyoneEnrolled()).toBe(false);
        expect(await storage.factors.mayBeEnrolled('alice')).toBe(false);
        expect(await storage.factors.enrolledUsers()).toEqual([]);
        expect(await storage.factors.authenticators(ALICE)).toEqual([]);
        expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
      });

      test('a confirmed set-up switches 2FA on, for that user alone', async () => {
        await enrol(storage, ALICE, { step: 100 });
        expect(await storage.factors.isEnrolled(ALICE)).toBe(true);
        expect(await storage.factors.isEnrolled(BOB)).toBe(false);
        expect(await storage.factors.anyoneEnrolled()).toBe(true);
        expect(await storage.factors.enrolledUsers()).toEqual([ALICE]);
        expect(await storage.factors.authenticators(ALICE)).toEqual([
          {
            id: `authenticator-1-${ALICE}`,
            userId: ALICE,
            name: 'phone',
            sealedSeed: Buffer.from('sealed anew'),
            enabledAt: NOW,
            lastUsedAt: null,
            lastStep: 100,
          },
        ]);
        expect(await storage.factors.findSetup(`setup-1-${ALICE}`, NOW)).toBeUndefined();
      });

      test('the hint goes by the folded local part of enrolled users only', async () => {
        await storage.factors.beginSetup(setup(BOB));
        await enrol(storage, ALICE);
        expect(await storage.factors.mayBeEnrolled('alice')).toBe(true);
        expect(await storage.factors.mayBeEnrolled('bob')).toBe(false);
        await storage.factors.removeAllFactors(ALICE, NOW);
        expect(await storage.factors.mayBeEnrolled('alice')).toBe(false);
      });

      test('enrolled users are listed in order', async () => {
        for (const user of ['@c:hs', '@a:hs', '@b:hs']) await enrol(storage, user);
        expect(await storage.factors.enrolledUsers()).toEqual(['@a:hs', '@b:hs', '@c:hs']);
      });

      test('attack 53: of 200 parallel uses of one step exactly one is accepted, over two replicas', async () => {
        await enrol(storage, ALICE, { step: 100 });
        const accepted = await raceOf(200, await replicas(), (one) =>
          spendStep(one, ALICE, `authenticator-1-${ALICE}`, 101),
        );
        expect(accepted.filter(Boolean)).toHaveLength(1);
        const [authenticator] = await storage.factors.authenticators(ALICE);
        expect(authenticator).toMatchObject({ lastStep: 101, lastUsedAt: expect.any(Number) });
      });

      test('attack 75: after a later step an earlier one is refused, in every order', async () => {
        await enrol(storage, ALICE, { step: 100 });
        const spend = (step: number) => spendStep(storage, ALICE, `authenticator-1-${ALICE}`, step);
        expect(await spend(101)).toBe(true);
        expect(await spend(102)).toBe(true);
        expect(await spend(101)).toBe(false);
        expect(await spend(102)).toBe(false);
        expect(await spend(103)).toBe(true);
      });

      test('attack 76: the step that confirmed an enrolment is spent, for a second authenticator too', async () => {
        await enrol(storage, ALICE, { step: 100 });
        await enrol(storage, ALICE, { step: 200, number: 2 });
        expect(await spendStep(storage, ALICE, `authenticator-1-${ALICE}`, 100)).toBe(false);
        expect(await spendStep(storage, ALICE, `authenticator-2-${ALICE}`, 200)).toBe(false);
        expect(await spendStep(storage, ALICE, `authenticator-2-${ALICE}`, 201)).toBe(true);
      });

      test('attack 62: a step stays spent', async () => {
        await enrol(storage, ALICE, { step: 100 });
        const id = `authenticator-1-${ALICE}`;
        expect(await spendStep(storage, ALICE, id, 101)).toBe(true);
        expect(await spendStep(storage, ALICE, id, 101)).toBe(false);
      });

      test('a step is spent for its own authenticator and its owner only', async () => {
        await enrol(storage, ALICE, { step: 100 });
        await enrol(storage, BOB, { step: 100 });
        expect(await spendStep(storage, BOB, `authenticator-1-${ALICE}`, 101)).toBe(false);
        expect(await spendStep(storage, ALICE, 'unknown', 101)).toBe(false);
        expect(await spendStep(storage, ALICE, `authenticator-1-${ALICE}`, 101)).toBe(true);
        expect(await spendStep(storage, BOB, `authenticator-1-${BOB}`, 101)).toBe(true);
      });

      test('removing one of two authenticators leaves 2FA on', async () => {
        await enrol(storage, ALICE);
        await enrol(storage, ALICE, { number: 2 });
        const removal = await storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`, NOW);
        expect(removal).toEqual({ removed: true, remaining: 1 });
        expect(await storage.factors.isEnrolled(ALICE)).toBe(true);
        expect(await storage.factors.recoverySet(ALICE)).toBeDefined();
      });

      test('removing the last authenticator switches 2FA off and removes the codes', async () => {
        await enrol(storage, ALICE);
        await enrol(storage, BOB);
        const removal = await storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`, NOW);
        expect(removal).toEqual({ removed: true, remaining: 0 });
        expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
        expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
        expect(await spendCode(storage, ALICE, 'hash-1-1')).toBeUndefined();
        expect(await storage.factors.isEnrolled(BOB)).toBe(true);
      });

      test('an authenticator of somebody else, or an unknown one, is not removed', async () => {
        await enrol(storage, ALICE);
        await enrol(storage, BOB);
        const foreign = await storage.factors.removeAuthenticator(BOB, `authenticator-1-${ALICE}`, NOW);
        expect(foreign).toEqual({ removed: false, remaining: 1 });
        expect(await storage.factors.removeAuthenticator('@nobody:hs', 'unknown', NOW)).toEqual({
          removed: false,
          remaining: 0,
        });
        expect(await storage.factors.authenticators(ALICE)).toHaveLength(1);
      });

      test('of 50 parallel removals of one authenticator exactly one removed it', async () => {
        await enrol(storage, ALICE);
        const removals = await raceOf(50, await replicas(), (one) =>
          one.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`, NOW),
        );
        expect(removals.filter((removal) => removal.removed)).toHaveLength(1);
        expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
      });

      test('an authenticator is renamed by its owner only', async () => {
        await enrol(storage, ALICE);
        const id = `authenticator-1-${ALICE}`;
        expect(await storage.commit([BOB], renameAuthenticator(BOB, id, 'stolen'))).toBeUndefined();
        expect(await storage.commit([ALICE], renameAuthenticator(ALICE, id, 'tablet'))).toBeDefined();
        const [authenticator] = await storage.factors.authenticators(ALICE);
        expect(authenticator?.name).toBe('tablet');
      });

      test('attack 95: removing all factors leaves nothing of that user, and others untouched', async () => {
        for (const user of [ALICE, BOB]) {
          await enrol(storage, user);
          await enrol(storage, user, { number: 2 });
          await storage.factors.beginSetup(setup(user, { id: `pending-${user}` }));
          await countFailure(storage, user);
          await storage.sessions.open(session({ idHash: `session-${user}`, userId: user }), upTo(10));
          await storage.holds.hold(held({ id: `hold-${user}`, userId: user }));
        }
        expect(await storage.factors.removeAllFactors(ALICE, NOW)).toBe(2);
        expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
        expect(await storage.factors.authenticators(ALICE)).toEqual([]);
        expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
        expect(await storage.factors.findSetup(`pending-${ALICE}`, NOW)).toBeUndefined();
        expect(await storage.read(lanesOf(ALICE))).toEqual([]);
        expect(await storage.sessions.find(`session-${ALICE}`, NOW)).toBeUndefined();
        expect(await storage.holds.find(`hold-${ALICE}`, NOW)).toBeUndefined();
        expect((await storage.holds.leaseEnded(NOW, NOW + 1, 9)).map((hold) => hold.id)).toEqual([
          `hold-${ALICE}`,
        ]);

        expect(await storage.factors.authenticators(BOB)).toHaveLength(2);
        expect(await storage.factors.recoverySet(BOB)).toBeDefined();
        expect(await storage.factors.findSetup(`pending-${BOB}`, NOW)).toBeDefined();
        expect(await storage.read(lanesOf(BOB))).toHaveLength(1);
        expect(await storage.sessions.find(`session-${BOB}`, NOW)).toBeDefined();
        expect(await storage.holds.find(`hold-${BOB}`, NOW)).toBeDefined();
        expect(await storage.factors.removeAllFactors('@nobody:hs', NOW)).toBe(0);
      });
    });

    describe('set-ups', () => {
      test('a set-up is found until its end, as it was kept', async () => {
        const begun = setup(ALICE);
        await storage.factors.beginSetup(begun);
        expect(await storage.factors.findSetup(begun.id, begun.expiresAt - 1)).toEqual(begun);
        expect(await storage.factors.findSetup(begun.id, begun.expiresAt)).toBeUndefined();
        expect(await storage.factors.findSetup('unknown', NOW)).toBeUndefined();
      });

      test('attack 59: a second start replaces the pending set-up of that user, and nobody is enrolled', async () => {
        await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
        await storage.factors.beginSetup(setup(BOB, { id: 'other' }));
        await storage.factors.beginSetup(setup(ALICE, { id: 'two' }));
        expect(await storage.factors.findSetup('one', NOW)).toBeUndefined();
        expect(await storage.factors.findSetup('two', NOW)).toBeDefined();
        expect(await storage.factors.findSetup('other', NOW)).toBeDefined();
        expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'one' }))).toBe(false);
        expect(await storage.factors.anyoneEnrolled()).toBe(false);
      });

      test('expired set-ups are dropped, live ones are not', async () => {
        await storage.factors.beginSetup(setup(ALICE, { id: 'old', expiresAt: NOW }));
        await storage.factors.beginSetup(setup(BOB, { id: 'live', expiresAt: NOW + 1 }));
        await storage.factors.dropExpiredSetups(NOW);
        expect(await storage.factors.findSetup('old', NOW - 1)).toBeUndefined();
        expect(await storage.factors.findSetup('live', NOW)).toBeDefined();
      });

      test('attack 140: one of many confirmations takes a set-up, until its time or until it is given back', async () => {
        const begun = setup(ALICE, { id: 'one' });
        await storage.factors.beginSetup(begun);
        const taken = await raceOf(20, await replicas(), (one) =>
          one.factors.takeSetup('one', NOW, NOW + 10),
        );
        expect(taken.filter(Boolean)).toHaveLength(1);
        expect(await storage.factors.takeSetup('one', NOW + 9, NOW + 20)).toBe(false);
        await storage.factors.giveSetupBack('one');
        expect(await storage.factors.takeSetup('one', NOW + 9, NOW + 20)).toBe(true);
        expect(await storage.factors.takeSetup('one', NOW + 20, NOW + 30)).toBe(true);
        expect(await storage.factors.takeSetup('one', begun.expiresAt, begun.expiresAt + 1)).toBe(false);
        expect(await storage.factors.takeSetup('unknown', NOW, NOW + 10)).toBe(false);
      });

      test('wrong first codes are counted, and at the limit the set-up is gone', async () => {
        await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
        expect(await storage.factors.countSetupFailure('one', 3)).toBe(1);
        expect(await storage.factors.countSetupFailure('one', 3)).toBe(2);
        expect((await storage.factors.findSetup('one', NOW))?.failures).toBe(2);
        expect(await storage.factors.countSetupFailure('one', 3)).toBe(3);
        expect(await storage.factors.findSetup('one', NOW)).toBeUndefined();
        expect(await storage.factors.countSetupFailure('one', 3)).toBe(3);
      });

      test('a set-up of somebody else, an unknown or an expired one is not activated', async () => {
        await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
        const end = NOW + 10 * MINUTE;
        expect(await storage.factors.activate(confirmation(BOB, { setupId: 'one' }))).toBe(false);
        expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'unknown' }))).toBe(false);
        expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'one', now: end }))).toBe(false);
        expect(await storage.factors.anyoneEnrolled()).toBe(false);
        expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'one', now: end - 1 }))).toBe(
          true,
        );
      });

      test('of 50 parallel confirmations of one set-up exactly one is accepted', async () => {
        await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
        const accepted = await raceOf(50, await replicas(), (one, index) =>
          one.factors.activate(
            confirmation(ALICE, {
              setupId: 'one',
              authenticatorId: `authenticator-${index}`,
              recovery: recoverySet(String(index)),
            }),
          ),
        );
        const winner = accepted.indexOf(true);
        expect(accepted.filter(Boolean)).toHaveLength(1);
        expect((await storage.factors.authenticators(ALICE)).map((one) => one.id)).toEqual([
          `authenticator-${winner}`,
        ]);
        expect((await storage.factors.recoverySet(ALICE))?.codes[0]?.hash).toBe(`hash-${winner}-1`);
      });

      test('attack 84: a re-enrolment begun, failed or abandoned leaves the live authenticator as it was', async () => {
        await enrol(storage, ALICE, { step: 100 });
        const before = await storage.factors.authenticators(ALICE);
        await storage.factors.beginSetup(setup(ALICE, { id: 'again' }));
        for (let wrong = 0; wrong < 5; wrong += 1) await storage.factors.countSetupFailure('again', 5);
        expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'again' }))).toBe(false);
        expect(await storage.factors.authenticators(ALICE)).toEqual(before);
        expect((await storage.factors.recoverySet(ALICE))?.codes[0]?.hash).toBe('hash-1-1');
        expect(await spendStep(storage, ALICE, `authenticator-1-${ALICE}`, 101)).toBe(true);
      });

      test('attack 84: a confirmation that fails half-way changes nothing at all', async () => {
        await enrol(storage, ALICE, { step: 100 });
        const before = await storage.factors.authenticators(ALICE);
        await storage.factors.beginSetup(setup(ALICE, { id: 'again' }));
        const twice = { ...recoverySet('2'), hashes: ['same', 'same'] };
        const failed = storage.factors.activate(
          confirmation(ALICE, { setupId: 'again', authenticatorId: 'new', recovery: twice }),
        );
        await expect(failed).rejects.toBeDefined();
        expect(await storage.factors.authenticators(ALICE)).toEqual(before);
        expect((await storage.factors.recoverySet(ALICE))?.codes[0]?.hash).toBe('hash-1-1');
        expect(await storage.factors.findSetup('again', NOW)).toBeDefined();
      });
    });

    describe('recovery codes', () => {
      test('a set is kept in the order in which it is shown, unused', async () => {
        await enrol(storage, ALICE);
        expect(await storage.factors.recoverySet(ALICE)).toEqual({
          salt: Buffer.from('salt 1'),
          pepperKeyId: 'key',
          generatedAt: NOW,
          codes: [1, 2, 3].map((position) => ({
            position,
            hash: `hash-1-${position}`,
            tag: position,
            usedAt: null,
          })),
        });
      });

      test('attack 57: of 200 parallel uses of one code exactly one is accepted, over two replicas', async () => {
        await enrol(storage, ALICE);
        const positions = await raceOf(200, await replicas(), (one) => spendCode(one, ALICE, 'hash-1-2'));
        expect(positions.filter((position) => position !== undefined)).toEqual([2]);
        const codes = (await storage.factors.recoverySet(ALICE))?.codes ?? [];
        expect(codes.map((code) => code.usedAt)).toEqual([null, expect.any(Number), null]);
      });

      test('an unknown code, or one of somebody else, is not accepted', async () => {
        await enrol(storage, ALICE);
        await enrol(storage, BOB, { recovery: recoverySet('bob') });
        expect(await spendCode(storage, ALICE, 'hash-bob-1')).toBeUndefined();
        expect(await spendCode(storage, ALICE, 'unknown')).toBeUndefined();
        expect(await spendCode(storage, BOB, 'hash-bob-1')).toBe(1);
      });

      test('attack 82: old codes are dead at once after regeneration, on every replica', async () => {
        const [one, other] = await replicas();
        await enrol(one, ALICE);
        expect(await spendCode(other, ALICE, 'hash-1-1')).toBe(1);
        expect(await one.factors.replaceRecoverySet(ALICE, recoverySet('2'))).toBe(true);
        for (const replica of [one, other]) {
          expect(await spendCode(replica, ALICE, 'hash-1-2')).toBeUndefined();
          const codes = (await replica.factors.recoverySet(ALICE))?.codes ?? [];
          expect(codes.filter((code) => code.usedAt === null)).toHaveLength(3);
        }
        expect(await spendCode(other, ALICE, 'hash-2-1')).toBe(1);
      });

      test('attack 82: a new set while old codes are being spent: each spend was before it or is refused', async () => {
        await enrol(storage, ALICE);
        const [one, other] = await replicas();
        const [, ...spent] = await Promise.all([
          one.factors.replaceRecoverySet(ALICE, recoverySet('2')),
          ...Array.from({ length: 50 }, () => spendCode(other, ALICE, 'hash-1-1')),
        ]);
        expect(spent.filter((position) => position !== undefined).length).toBeLessThanOrEqual(1);
        const codes = (await storage.factors.recoverySet(ALICE))?.codes ?? [];
        expect(codes.map((code) => code.usedAt)).toEqual([null, null, null]);
      });

      test('without 2FA there is no set', async () => {
        expect(await storage.factors.replaceRecoverySet(ALICE, recoverySet('1'))).toBe(false);
        expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
      });

      test('a deleted set is gone, and 2FA stays on', async () => {
        await enrol(storage, ALICE);
        expect(await storage.factors.deleteRecoverySet(ALICE, NOW)).toBe(true);
        expect(await storage.factors.deleteRecoverySet(ALICE, NOW)).toBe(false);
        expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
        expect(await spendCode(storage, ALICE, 'hash-1-1')).toBeUndefined();
        expect(await storage.factors.isEnrolled(ALICE)).toBe(true);
      });
    });

    describe('what a change of the factors ends (R1, R12)', () => {
      beforeEach(async () => {
        await enrol(storage, ALICE);
        await enrol(storage, ALICE, { number: 2 });
        for (const user of [ALICE, BOB]) {
          await storage.holds.hold(held({ id: `hold-${user}`, userId: user }));
          await storage.sessions.open(
            session({ idHash: `sign-in-${user}`, userId: user, holdId: `hold-${user}` }),
            upTo(99),
          );
          await storage.sessions.open(
            session({ idHash: `live-${user}`, userId: user, tokenHash: 'token' }),
            upTo(99),
          );
        }
        await storage.factors.beginSetup(setup(ALICE, { id: 'again' }));
      });

      const changes: [string, () => Promise<unknown>][] = [
        ['a new authenticator', () => storage.factors.activate(confirmation(ALICE, { setupId: 'again' }))],
        [
          'one authenticator removed',
          () => storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`, NOW),
        ],
        ['new recovery codes', () => storage.factors.replaceRecoverySet(ALICE, recoverySet('2'))],
        ['recovery codes deleted', () => storage.factors.deleteRecoverySet(ALICE, NOW)],
        ['another password, or logout/all', () => storage.factors.endProofs(ALICE, NOW)],
      ];

      test.each(changes)(
        'attack 153: %s ends what that user had proven before, and nobody else’s',
        async (_what, change) => {
          for (const userId of [ALICE, BOB]) {
            await storage.loginTokens.remember({ tokenHash: userId, userId, expiresAt: NOW + MINUTE });
            await storage.freshLogins.remember({
              tokenHash: userId,
              userId,
              passwordDigest: null,
              expiresAt: NOW + MINUTE,
            });
          }
          await storage.factors.beginSetup(setup(BOB, { id: 'his' }));
          await change();
          expect(await storage.factors.findSetup('again', NOW)).toBeUndefined();
          expect(await storage.factors.findSetup('his', NOW)).toBeDefined();
          expect(await storage.freshLogins.find(ALICE, NOW)).toBeUndefined();
          expect(await storage.freshLogins.find(BOB, NOW)).toBeDefined();
          expect(await storage.loginTokens.isEnded(ALICE, NOW)).toBe(true);
          expect(await storage.loginTokens.isEnded(ALICE, NOW + MINUTE)).toBe(false);
          expect(await storage.loginTokens.isEnded(BOB, NOW)).toBe(false);
          expect(await storage.loginTokens.redeem(ALICE, ALICE, NOW)).toBe(false);
          expect(await storage.loginTokens.redeem(BOB, BOB, NOW)).toBe(true);
        },
      );

      test.each(changes)('attack 180: %s ends the sign-ins and sessions under way', async (_what, change) => {
        await storage.holds.claim(`hold-${ALICE}`, 'finisher', NOW - 1, NOW + MINUTE);
        await change();
        expect(await storage.holds.find(`hold-${ALICE}`, NOW)).toBeUndefined();
        expect(await storage.holds.end(`hold-${ALICE}`, 'finisher', NOW)).toBe(false);
        expect(await storage.sessions.find(`sign-in-${ALICE}`, NOW)).toBeUndefined();
        expect(await storage.sessions.find(`live-${ALICE}`, NOW)).toBeUndefined();
        expect(await storage.sessions.find(`live-${BOB}`, NOW)).toBeDefined();
        expect(await storage.holds.find(`hold-${BOB}`, NOW)).toBeDefined();
        expect(await storage.sessions.find(`sign-in-${BOB}`, NOW)).toBeDefined();
        const ended = await storage.holds.leaseEnded(NOW, NOW + MINUTE, 10);
        expect(ended.map((hold) => hold.id)).toEqual([`hold-${ALICE}`]);
      });

      test('attack 39: 2FA off ends all that stands on it; a sign-in stays known, without its login', async () => {
        await storage.sessions.open(
          session({ idHash: 'without hold', userId: ALICE, holdId: 'gone' }),
          upTo(99),
        );
        await storage.factors.removeAllFactors(ALICE, NOW);
        expect(await storage.holds.find(`hold-${ALICE}`, NOW)).toBeUndefined();
        expect(await storage.sessions.find(`live-${ALICE}`, NOW)).toBeUndefined();
        expect(await storage.sessions.find('without hold', NOW)).toBeUndefined();
        expect(await storage.sessions.find(`sign-in-${ALICE}`, NOW)).toBeDefined();
        expect(await storage.sessions.find(`live-${BOB}`, NOW)).toBeDefined();
      });

      test('what changed nothing ends nothing', async () => {
        await storage.factors.removeAuthenticator(ALICE, 'unknown', NOW);
        await storage.factors.activate(confirmation(ALICE, { setupId: 'unknown' }));
        await spendStep(storage, ALICE, `authenticator-1-${ALICE}`, 10_000);
        await spendCode(storage, ALICE, 'hash-2-1');
        await storage.commit([ALICE], renameAuthenticator(ALICE, `authenticator-1-${ALICE}`, 'tablet'));
        expect(await storage.holds.find(`hold-${ALICE}`, NOW)).toBeDefined();
        expect(await storage.sessions.find(`sign-in-${ALICE}`, NOW)).toBeDefined();
      });
    });

    describe('sessions', () => {
      test('a session is found until its end, as it was kept', async () => {
        const full = session({
          idHash: 'full',
          tokenHash: 'token',
          flows: [['a', 'b'], ['c']],
          completed: ['a'],
          sealedBody: Buffer.from('body'),
          bodyDigest: 'digest',
          sealedPassword: Buffer.from('password'),
          sealedToken: Buffer.from('token'),
          deviceId: 'DEVICE',
          holdId: 'hold',
          pot: 'token',
          network: 'network',
          address: '192.0.2.1',
          failures: 2,
        });
        const bare = session({ idHash: 'bare' });
        await storage.sessions.open(full, upTo(10));
        await storage.sessions.open(bare, upTo(10));
        expect(await storage.sessions.find('full', full.expiresAt - 1)).toEqual(full);
        expect(await storage.sessions.find('bare', NOW)).toEqual(bare);
        expect(await storage.sessions.find('full', full.expiresAt)).toBeUndefined();
        expect(await storage.sessions.find('unknown', NOW)).toBeUndefined();
      });

      test('the newest live session of the same token and target is the same session again', async () => {
        const bound = (idHash: string, createdAt: number, expiresAt: number, target = 'one') =>
          storage.sessions.open(
            session({ idHash, tokenHash: 'token', target, createdAt, expiresAt }),
            upTo(99),
          );
        await bound('old', NOW, NOW + 9 * MINUTE);
        await bound('new', NOW + 1, NOW + 5 * MINUTE);
        await bound('elsewhere', NOW + 2, NOW + 9 * MINUTE, 'two');
        await storage.sessions.open(
          session({ idHash: 'unbound', target: 'one', createdAt: NOW + 3 }),
          upTo(99),
        );
        expect((await storage.sessions.findBound('token', 'one', null, NOW))?.idHash).toBe('new');
        expect((await storage.sessions.findBound('token', 'one', null, NOW + 5 * MINUTE))?.idHash).toBe(
          'old',
        );
        expect(await storage.sessions.findBound('token', 'one', null, NOW + 9 * MINUTE)).toBeUndefined();
        expect(await storage.sessions.findBound('other token', 'one', null, NOW)).toBeUndefined();
      });

      test('the session of a hold is found by the body that opened it', async () => {
        const open = (idHash: string, holdId: string, bodyDigest: string) =>
          storage.sessions.open(session({ idHash, holdId, bodyDigest }), upTo(99));
        await open('a', 'hold 1', 'body 1');
        await open('b', 'hold 1', 'body 2');
        await open('c', 'hold 2', 'body 1');
        expect((await storage.sessions.findOfHold('hold 1', 'body 2', NOW))?.idHash).toBe('b');
        expect(await storage.sessions.findOfHold('hold 2', 'body 2', NOW)).toBeUndefined();
        expect(await storage.sessions.findOfHold('hold 1', 'body 1', NOW + 99 * MINUTE)).toBeUndefined();
      });

      test('"the same session again" is for the same body, and for an empty one', async () => {
        const bound = (idHash: string, createdAt: number, more: Partial<StoredSession>) =>
          storage.sessions.open(session({ idHash, tokenHash: 'token', createdAt, ...more }), upTo(99));
        const found = async (digest: string | null) =>
          (await storage.sessions.findBound('token', 'login v3', digest, NOW))?.idHash;
        await bound('of A', NOW, { bodyDigest: 'A' });
        await bound('of B', NOW + 1, { bodyDigest: 'B' });
        expect([await found('A'), await found('B'), await found('C'), await found(null)]).toEqual([
          'of A',
          'of B',
          undefined,
          'of B',
        ]);
        await bound('of none', NOW + 2, {});
        expect([await found('A'), await found('C'), await found(null)]).toEqual([
          'of none',
          'of none',
          'of none',
        ]);
        await storage.sessions.complete({ idHash: 'of none', completed: [], bodyDigest: null }, 'a');
        expect([await found('A'), await found('C'), await found(null)]).toEqual([
          'of A',
          undefined,
          'of none',
        ]);
      });

      test('of equal sign-ins on one hold the one that is further is found', async () => {
        const open = (idHash: string, completed: string[]) =>
          storage.sessions.open(session({ idHash, holdId: 'hold', bodyDigest: 'body', completed }), upTo(99));
        await open('passed', ['a', 'b']);
        await open('refused', ['a']);
        expect((await storage.sessions.findOfHold('hold', 'body', NOW))?.idHash).toBe('passed');
      });

      test.each([
        ['held login', { holdId: 'one' }, { holdId: 'two', userId: BOB }],
        ['token', { tokenHash: 'one', pot: 'token' }, { tokenHash: 'two', pot: 'token', userId: BOB }],
        ['user', {}, { userId: BOB }],
      ] as const)(
        'attacks 122, 138: of one %s the network with most loses its oldest sessions',
        async (_, mine, other) => {
          const limits = { perPot: 99, perUser: 3, perHoldOrToken: 3 };
          let turn = 0;
          const open = (network: string, scope: Partial<StoredSession>) => {
            turn += 1;
            const idHash = `${network} ${turn}`;
            return storage.sessions.open(
              session({ idHash, network, createdAt: NOW + turn, ...scope }),
              limits,
            );
          };
          await open('home', mine);
          await open('elsewhere', other);
          for (let times = 0; times < 20; times += 1) await open('flood', mine);
          const kept = async (idHash: string) => (await storage.sessions.find(idHash, NOW)) !== undefined;
          expect(await storage.sessions.count()).toBe(4);
          expect([await kept('home 1'), await kept('elsewhere 2')]).toEqual([true, true]);
          expect([await kept('flood 20'), await kept('flood 21'), await kept('flood 22')]).toEqual([
            false,
            true,
            true,
          ]);
        },
      );

      test('attack 138: pots do not crowd each other out', async () => {
        for (const pot of ['page', 'token', 'login'] as const) {
          for (let turn = 0; turn < 5; turn += 1) {
            const idHash = `${pot} ${turn}`;
            await storage.sessions.open(session({ idHash, pot, holdId: 'hold', createdAt: NOW + turn }), {
              perPot: 4,
              perUser: 99,
              perHoldOrToken: 2,
            });
          }
        }
        expect(await storage.sessions.count()).toBe(6);
        await storage.sessions.open(session({ idHash: 'full', pot: 'page', holdId: null }), upTo(1));
        expect(await storage.sessions.count()).toBe(5);
        expect(await storage.sessions.find('full', NOW)).toBeDefined();
      });

      test('attack 71: beyond the maximum the oldest sessions are dropped', async () => {
        for (const createdAt of [5, 1, 4, 2, 3]) {
          await storage.sessions.open(
            session({ idHash: `${createdAt}`, createdAt: NOW + createdAt }),
            upTo(3),
          );
        }
        expect(await storage.sessions.count()).toBe(3);
        const kept = await Promise.all(
          ['1', '2', '3', '4', '5'].map(async (id) => (await storage.sessions.find(id, NOW)) && id),
        );
        expect(kept).toEqual([undefined, undefined, '3', '4', '5']);
      });

      test('attack 71: 200 opened at once stay within the maximum', async () => {
        await raceOf(200, await replicas(), (one, index) =>
          one.sessions.open(session({ idHash: `${index}`, createdAt: NOW + index }), upTo(20)),
        );
        expect(await storage.sessions.count()).toBe(20);
      });

      test('of 50 parallel completions of one stage exactly one is taken', async () => {
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        const taken = await raceOf(50, await replicas(), (one) =>
          one.sessions.complete({ idHash: 'one', completed: [], bodyDigest: null }, 'a'),
        );
        expect(taken.filter(Boolean)).toHaveLength(1);
        expect(await storage.sessions.complete({ idHash: 'one', completed: [], bodyDigest: null }, 'b')).toBe(
          false,
        );
        expect(
          await storage.sessions.complete({ idHash: 'one', completed: ['b'], bodyDigest: null }, 'c'),
        ).toBe(false);
        expect(
          await storage.sessions.complete({ idHash: 'one', completed: ['a'], bodyDigest: null }, 'b'),
        ).toBe(true);
        expect((await storage.sessions.find('one', NOW))?.completed).toEqual(['a', 'b']);
        expect(
          await storage.sessions.complete({ idHash: 'unknown', completed: [], bodyDigest: null }, 'a'),
        ).toBe(false);
      });

      test('attack 46: only the first body is bound, also of 50 at once', async () => {
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        const bound = await raceOf(50, await replicas(), (one, index) =>
          one.sessions.bindBody('one', Buffer.from(`body ${index}`), `digest ${index}`),
        );
        expect(bound.filter(Boolean)).toHaveLength(1);
        expect(await storage.sessions.find('one', NOW)).toMatchObject({
          sealedBody: Buffer.from(`body ${bound.indexOf(true)}`),
          bodyDigest: `digest ${bound.indexOf(true)}`,
        });
      });

      test('attack 148: a stage that is done freezes the body, the empty one too', async () => {
        await storage.sessions.open(session({ idHash: 'empty' }), upTo(10));
        await storage.sessions.complete({ idHash: 'empty', completed: [], bodyDigest: null }, 'a');
        expect(await storage.sessions.bindBody('empty', Buffer.from('late'), 'late')).toBe(false);
        expect((await storage.sessions.find('empty', NOW))?.sealedBody).toBeNull();
      });

      test('attack 148: no stage is done for another body than the one that was read', async () => {
        const read = { idHash: 'one', completed: [], bodyDigest: null };
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        expect(await storage.sessions.bindBody('one', null, 'digest')).toBe(true);
        expect(await storage.sessions.complete(read, 'a')).toBe(false);
        expect(await storage.sessions.complete({ ...read, bodyDigest: 'digest' }, 'a')).toBe(true);
        expect(await storage.sessions.bindBody('one', Buffer.from('body'), 'other')).toBe(false);
      });

      test('a password that was judged is bound', async () => {
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        expect(await storage.sessions.bindPassword('one', Buffer.from('sealed'))).toBe(true);
        expect((await storage.sessions.find('one', NOW))?.sealedPassword).toEqual(Buffer.from('sealed'));
        expect(await storage.sessions.bindPassword('unknown', Buffer.from('sealed'))).toBe(false);
      });

      test('failures are counted one by one, and a session that is gone has no tries left', async () => {
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        const counts = await raceOf(50, await replicas(), (one) => one.sessions.countFailure('one'));
        expect(counts.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
        expect(await storage.sessions.countFailure('unknown')).toBe(Number.MAX_SAFE_INTEGER);
      });

      test('attack 47: of 50 parallel ends of one session exactly one ended it', async () => {
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        const ended = await raceOf(50, await replicas(), (one) => one.sessions.end('one'));
        expect(ended.filter(Boolean)).toHaveLength(1);
        expect(await storage.sessions.find('one', NOW)).toBeUndefined();
      });

      test('the sessions of one token of a user end together', async () => {
        const open = (idHash: string, userId: string, tokenHash: string | null) =>
          storage.sessions.open(session({ idHash, userId, tokenHash }), upTo(99));
        await open('a', ALICE, 'token 1');
        await open('b', ALICE, 'token 2');
        await open('c', ALICE, null);
        await open('d', BOB, 'token 1');
        await storage.sessions.endOfToken(ALICE, 'token 1');
        expect(await storage.sessions.count()).toBe(3);
        expect(await storage.sessions.find('a', NOW)).toBeUndefined();
      });

      test('expired sessions are dropped', async () => {
        await storage.sessions.open(session({ idHash: 'a', expiresAt: NOW + 1 }), upTo(99));
        await storage.sessions.open(session({ idHash: 'b', expiresAt: NOW + 2 }), upTo(99));
        await storage.sessions.dropExpired(NOW + 1);
        expect(await storage.sessions.count()).toBe(1);
        expect(await storage.sessions.find('b', NOW)).toBeDefined();
      });
    });

    describe('held logins', () => {
      test('a hold is found until its end, as it was kept', async () => {
        const full = held({ id: 'full', joinKey: 'join', foldedJoinKey: 'folded', atEnd: 'forget' });
        const bare = held({ id: 'bare', joinKey: null, foldedJoinKey: null });
        await storage.holds.hold(full);
        await storage.holds.hold(bare);
        expect(await storage.holds.find('full', full.expiresAt - 1)).toEqual(full);
        expect(await storage.holds.find('full', full.expiresAt)).toBeUndefined();
        expect(await storage.holds.find('bare', NOW)).toEqual(bare);
      });

      test('attack 30: of 50 parallel finishers exactly one gets the hold', async () => {
        await storage.holds.hold(held({ id: 'one' }));
        const [one, other] = await replicas();
        const claims = await raceOf(50, [one, other], (replica, index) =>
          replica.holds.claim('one', `claimant ${index}`, NOW, NOW + MINUTE),
        );
        const winner = claims.indexOf(true);
        expect(claims.filter(Boolean)).toHaveLength(1);
        const releases = await raceOf(50, [one, other], (replica, index) =>
          replica.holds.end('one', `claimant ${index}`, NOW),
        );
        expect(releases.filter(Boolean)).toHaveLength(1);
        expect(releases[winner]).toBe(true);
        expect(await storage.holds.find('one', NOW)).toBeUndefined();
        expect(await storage.holds.nextEnd()).toBe(NOW);
      });

      test('taking: for exactly one caller, and on record with it', async () => {
        await storage.holds.hold(held({ id: 'one' }));
        const record = {
          at: NOW,
          userId: ALICE,
          event: 'login.completed',
          address: null,
          deviceId: null,
          detail: {},
        };
        const takes = await raceOf(50, await replicas(), (one) => one.holds.take('one', NOW, record));
        expect(takes.filter(Boolean)).toHaveLength(1);
        expect(await storage.holds.find('one', NOW)).toBeUndefined();
        expect((await storage.audit.list({ userId: ALICE })).map(({ event }) => event)).toEqual([
          'login.completed',
        ]);
      });

      test('taking: neither what is claimed nor what has ended nor what is being logged out', async () => {
        const one = held({ id: 'one' });
        await storage.holds.hold(one);
        await storage.holds.claim('one', 'finisher', NOW, NOW + 1000);
        expect(await storage.holds.take('one', NOW, null)).toBe(false);
        expect(await storage.holds.take('one', one.expiresAt, null)).toBe(false);
        await storage.holds.leaseEnded(one.expiresAt, one.expiresAt + MINUTE, 1);
        expect(await storage.holds.take('one', NOW + 1000, null)).toBe(false);
        expect(await storage.audit.list({})).toEqual([]);
      });

      test('of 50 releases by the claimant himself exactly one is true', async () => {
        await storage.holds.hold(held({ id: 'one' }));
        await storage.holds.claim('one', 'me', NOW, NOW + MINUTE);
        const releases = await raceOf(50, await replicas(), (one) => one.holds.end('one', 'me', NOW));
        expect(releases.filter(Boolean)).toHaveLength(1);
      });

      test('a claim given back, or run out, is free for the next', async () => {
        await storage.holds.hold(held({ id: 'one' }));
        expect(await storage.holds.claim('one', 'a', NOW, NOW + 1000)).toBe(true);
        await storage.holds.unclaim('one', 'somebody else');
        expect(await storage.holds.claim('one', 'b', NOW, NOW + 1000)).toBe(false);
        await storage.holds.unclaim('one', 'a');
        expect(await storage.holds.claim('one', 'b', NOW, NOW + 1000)).toBe(true);
        expect(await storage.holds.claim('one', 'c', NOW + 999, NOW + 2000)).toBe(false);
        expect(await storage.holds.claim('one', 'c', NOW + 1000, NOW + 2000)).toBe(true);
        expect(await storage.holds.end('one', 'b', NOW)).toBe(false);
        expect(await storage.holds.end('one', 'c', NOW)).toBe(true);
      });

      test('an ended hold cannot be claimed', async () => {
        const one = held({ id: 'one' });
        await storage.holds.hold(one);
        expect(await storage.holds.claim('one', 'a', one.expiresAt, one.expiresAt + 1)).toBe(false);
        expect(await storage.holds.claim('unknown', 'a', NOW, NOW + 1)).toBe(false);
      });

      test('a hold whose time runs out while somebody finishes it is his until the claim ends', async () => {
        const one = held({ id: 'one' });
        const after = one.expiresAt + 1000;
        await storage.holds.hold(one);
        await storage.holds.claim('one', 'a', NOW, after);
        expect(await storage.holds.nextEnd()).toBe(after);
        expect(await storage.holds.leaseEnded(after - 1, after + 1, 10)).toEqual([]);
        expect(await storage.holds.end('one', 'a', NOW)).toBe(true);
      });

      test('a hold that is being logged out can no longer be released', async () => {
        const one = held({ id: 'one' });
        const after = one.expiresAt + 1000;
        await storage.holds.hold(one);
        await storage.holds.claim('one', 'a', NOW, after);
        expect(await storage.holds.leaseEnded(after, after + 1, 10)).toHaveLength(1);
        expect(await storage.holds.end('one', 'a', NOW)).toBe(false);
      });

      test('a hold that is being logged out cannot be claimed by a process whose clock is behind', async () => {
        const one = held({ id: 'one' });
        await storage.holds.hold(one);
        expect(await storage.holds.leaseEnded(one.expiresAt, one.expiresAt + MINUTE, 10)).toHaveLength(1);
        expect(await storage.holds.claim('one', 'b', one.expiresAt - 1, one.expiresAt)).toBe(false);
      });

      test('the holds of a user end together, claimed ones too', async () => {
        await storage.holds.hold(held({ id: 'a' }));
        await storage.holds.hold(held({ id: 'b' }));
        await storage.holds.hold(held({ id: 'past', expiresAt: NOW - 1 }));
        await storage.holds.hold(held({ id: 'other', userId: BOB }));
        await storage.holds.claim('b', 'finisher', NOW - 1, NOW + MINUTE);
        expect(await storage.holds.countForUser(ALICE, NOW)).toBe(2);
        await storage.factors.endProofs(ALICE, NOW);
        expect(await storage.holds.countForUser(ALICE, NOW)).toBe(0);
        expect(await storage.holds.countForUser(BOB, NOW)).toBe(1);
        expect(await storage.holds.end('b', 'finisher', NOW)).toBe(false);
      });

      test('a password change ends a hold that is finished past its time, too', async () => {
        const one = held({ id: 'one' });
        await storage.holds.hold(one);
        await storage.holds.claim('one', 'finisher', NOW, one.expiresAt + MINUTE);
        await storage.factors.endProofs(ALICE, one.expiresAt + 1);
        expect(await storage.holds.end('one', 'finisher', NOW)).toBe(false);
      });

      test('a claimant ends his hold without the others, once, and nobody else does', async () => {
        await storage.holds.hold(held({ id: 'a' }));
        await storage.holds.hold(held({ id: 'b' }));
        expect(await storage.holds.end('a', 'finisher', NOW)).toBe(false);
        await storage.holds.claim('a', 'finisher', NOW, NOW + MINUTE);
        expect(await storage.holds.end('a', 'another', NOW)).toBe(false);
        expect(await storage.holds.end('a', 'finisher', NOW)).toBe(true);
        expect(await storage.holds.end('a', 'finisher', NOW)).toBe(false);
        expect(await storage.holds.find('a', NOW)).toBeUndefined();
        expect(await storage.holds.find('b', NOW)).toBeDefined();
        expect(await storage.holds.nextEnd()).toBe(NOW);
      });

      test('attack 25: ended holds are given out, live ones are not', async () => {
        await storage.holds.hold(held({ id: 'live', expiresAt: NOW + 1 }));
        const past = held({ id: 'past', expiresAt: NOW, atEnd: 'forget' });
        await storage.holds.hold(past);
        expect(await storage.holds.nextEnd()).toBe(NOW);
        expect(await storage.holds.leaseEnded(NOW, NOW + MINUTE, 10)).toEqual([{ ...past, attempts: 1 }]);
        expect(await storage.holds.nextEnd()).toBe(NOW + 1);
        await storage.holds.forget('past');
        await storage.holds.forget('past');
        await storage.holds.forget('live');
        expect(await storage.holds.nextEnd()).toBeUndefined();
      });

      test('attack 26: each ended hold goes to exactly one of several processes', async () => {
        for (let number = 0; number < 60; number += 1) {
          await storage.holds.hold(held({ id: `${number}`, expiresAt: NOW }));
        }
        const leases = await raceOf(20, await replicas(), (one) =>
          one.holds.leaseEnded(NOW, NOW + MINUTE, 7),
        );
        const ids = leases.flat().map((hold) => hold.id);
        expect(Math.max(...leases.map((lease) => lease.length))).toBe(7);
        expect(ids).toHaveLength(60);
        expect(new Set(ids).size).toBe(60);
      });

      test('attack 26: what a dead process had leased comes to another when the lease is over', async () => {
        const [dead, alive] = await replicas();
        await dead.holds.hold(held({ id: 'one', expiresAt: NOW }));
        expect(await dead.holds.leaseEnded(NOW, NOW + MINUTE, 10)).toHaveLength(1);
        expect(await alive.holds.leaseEnded(NOW + MINUTE - 1, NOW + 2 * MINUTE, 10)).toEqual([]);
        expect(await alive.holds.nextEnd()).toBe(NOW + MINUTE);
        expect(await alive.holds.leaseEnded(NOW + MINUTE, NOW + 2 * MINUTE, 10)).toHaveLength(1);
      });

      test('attack 165: a logout that failed is tried again at its time, and the attempts are counted', async () => {
        const [one, other] = await replicas();
        await one.holds.hold(held({ id: 'one', expiresAt: NOW }));
        expect(await one.holds.leaseEnded(NOW, NOW + MINUTE, 10)).toMatchObject([{ attempts: 1 }]);
        await one.holds.leaseUntil('one', NOW + 5 * MINUTE);
        expect(await other.holds.leaseEnded(NOW + 5 * MINUTE - 1, NOW + 9 * MINUTE, 10)).toEqual([]);
        const again = await other.holds.leaseEnded(NOW + 5 * MINUTE, NOW + 9 * MINUTE, 10);
        expect(again).toMatchObject([{ id: 'one', attempts: 2 }]);
      });

      test('attack 26: a hold survives its process and is finished by another one', async () => {
        await storage.holds.hold(held({ id: 'one' }));
        await storage.close();
        const next = await opened.openAnother();
        expect((await next.holds.find('one', NOW))?.sealedGrant).toEqual(Buffer.from('sealed grant'));
        expect(await next.holds.claim('one', 'next', NOW, NOW + MINUTE)).toBe(true);
        expect(await next.holds.end('one', 'next', NOW)).toBe(true);
      });
    });

    describe('times that are wrong', () => {
      const DAY = 24 * 60 * MINUTE;

      test('attack 144: what begins in the future has ended, or waits no longer than its kind may', async () => {
        const ahead = { createdAt: NOW + DAY, expiresAt: NOW + DAY + MINUTE };
        await storage.holds.hold(held({ id: 'ahead', ...ahead }));
        await storage.holds.claim('ahead', 'finisher', NOW + DAY, NOW + DAY + MINUTE);
        await storage.holds.hold(held({ id: 'now' }));
        await storage.sessions.open(session({ idHash: 'ahead', ...ahead }), upTo(9));
        await storage.sessions.open(session({ idHash: 'now' }), upTo(9));
        await storage.sessionTurns.take('now', NOW, NOW + DAY);
        await storage.factors.beginSetup(setup(ALICE, { id: 'ahead', expiresAt: NOW + DAY }));
        await storage.factors.beginSetup(setup(BOB, { id: 'now', expiresAt: NOW + 10 * MINUTE }));
        await storage.loginTokens.remember({ tokenHash: 'ahead', userId: ALICE, expiresAt: NOW + DAY });
        await storage.loginTokens.remember({ tokenHash: 'now', userId: ALICE, expiresAt: NOW + MINUTE });
        opened.clock.set(NOW);
        await storage.commit([], endWrongTimes(10 * MINUTE));

        expect(await storage.holds.find('now', NOW)).toBeDefined();
        const ended = await storage.holds.leaseEnded(NOW, NOW + DAY, 10);
        expect(ended.map(({ id }) => id)).toEqual(['ahead']);
        expect(await storage.sessions.find('ahead', NOW)).toBeUndefined();
        expect(await storage.sessions.find('now', NOW)).toBeDefined();
        expect(await storage.sessionTurns.take('now', NOW, NOW + MINUTE)).toBe(true);
        expect(await storage.factors.findSetup('ahead', NOW)).toBeUndefined();
        expect(await storage.factors.findSetup('now', NOW)).toBeDefined();
        expect(await storage.loginTokens.redeem('ahead', ALICE, NOW)).toBe(false);
        expect(await storage.loginTokens.redeem('now', ALICE, NOW)).toBe(true);

        // The lease of a sweep that died, too.
        await storage.commit([], endWrongTimes(10 * MINUTE));
        expect(await storage.holds.leaseEnded(NOW, NOW + MINUTE, 10)).toHaveLength(1);
      });
    });

    describe('login tokens', () => {
      test('attack 36: a token passed under 2FA is redeemed once, in its time, by its user', async () => {
        await storage.loginTokens.remember({ tokenHash: 'one', userId: ALICE, expiresAt: NOW + 1000 });
        await storage.loginTokens.remember({ tokenHash: 'late', userId: ALICE, expiresAt: NOW + 1000 });
        expect(await storage.loginTokens.redeem('unknown', ALICE, NOW)).toBe(false);
        expect(await storage.loginTokens.redeem('one', BOB, NOW)).toBe(false);
        expect(await storage.loginTokens.redeem('late', ALICE, NOW + 1000)).toBe(false);
        const redeemed = await raceOf(50, await replicas(), (one) =>
          one.loginTokens.redeem('one', ALICE, NOW + 999),
        );
        expect(redeemed.filter(Boolean)).toHaveLength(1);
      });

      test('expired tokens are dropped', async () => {
        await storage.loginTokens.remember({ tokenHash: 'a', userId: ALICE, expiresAt: NOW + 1 });
        await storage.loginTokens.remember({ tokenHash: 'b', userId: ALICE, expiresAt: NOW + 2 });
        await storage.loginTokens.dropExpired(NOW + 1);
        expect(await storage.loginTokens.redeem('a', ALICE, NOW)).toBe(false);
        expect(await storage.loginTokens.redeem('b', ALICE, NOW)).toBe(true);
      });
    });

    describe('session turns', () => {
      test('of 50 requests at once one has the turn, until it gives it back or its time is over', async () => {
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        const until = NOW + 1000;
        const taken = await raceOf(50, await replicas(), (one) => one.sessionTurns.take('one', NOW, until));
        expect(taken.filter(Boolean)).toHaveLength(1);
        await storage.sessionTurns.giveBack('one');
        expect(await storage.sessionTurns.take('one', NOW, until)).toBe(true);
        expect(await storage.sessionTurns.take('one', until - 1, until + 1000)).toBe(false);
        expect(await storage.sessionTurns.take('one', until, until + 1000)).toBe(true);
        expect(await storage.sessionTurns.take('unknown', NOW, until)).toBe(false);
      });

      test('what the homeserver asks for is kept as long as its session lives', async () => {
        await storage.sessions.open(session({ idHash: 'one' }), upTo(10));
        await storage.sessionTurns.leadOn('one', Buffer.from('nobody has the turn'));
        expect(await storage.sessionTurns.onward('one')).toBeUndefined();
        await storage.sessionTurns.take('one', NOW, NOW + 1000);
        expect(await storage.sessionTurns.onward('one')).toBeUndefined();
        await storage.sessionTurns.leadOn('one', Buffer.from('first'));
        await storage.sessionTurns.leadOn('one', Buffer.from('second'));
        await storage.sessionTurns.giveBack('one');
        expect(await storage.sessionTurns.onward('one')).toEqual(Buffer.from('second'));
        await storage.sessions.end('one');
        expect(await storage.sessionTurns.onward('one')).toBeUndefined();
        expect(await storage.sessionTurns.take('one', NOW, NOW + 1000)).toBe(false);
      });
    });

    describe('sign-in tokens', () => {
      test('attack 69: a token of the sign-in page is found in its time, until it is forgotten', async () => {
        const token = {
          tokenHash: 'one',
          holdId: 'h',
          userId: ALICE,
          secondFactor: true,
          expiresAt: NOW + 1000,
        };
        const other = { ...token, tokenHash: 'two', secondFactor: false };
        await storage.signInTokens.remember(token);
        await storage.signInTokens.remember(other);
        expect(await storage.signInTokens.find('one', NOW + 999)).toEqual(token);
        expect(await storage.signInTokens.find('two', NOW)).toEqual(other);
        expect(await storage.signInTokens.find('one', NOW + 1000)).toBeUndefined();
        expect(await storage.signInTokens.find('unknown', NOW)).toBeUndefined();
        await storage.signInTokens.forget('one');
        expect(await storage.signInTokens.find('one', NOW)).toBeUndefined();
        await storage.signInTokens.dropExpired(NOW + 1000);
        expect(await storage.signInTokens.find('two', NOW)).toBeUndefined();
      });
    });

    describe('fresh logins', () => {
      test('a fresh login is found in its time, again and again', async () => {
        const fresh = { tokenHash: 'one', userId: ALICE, passwordDigest: 'digest', expiresAt: NOW + 1000 };
        await storage.freshLogins.remember(fresh);
        expect(await storage.freshLogins.find('one', NOW)).toEqual(fresh);
        expect(await storage.freshLogins.find('one', NOW + 999)).toEqual(fresh);
        expect(await storage.freshLogins.find('one', NOW + 1000)).toBeUndefined();
        expect(await storage.freshLogins.find('unknown', NOW)).toBeUndefined();
        await storage.freshLogins.remember({ ...fresh, passwordDigest: null, expiresAt: NOW + 2000 });
        expect(await storage.freshLogins.find('one', NOW + 1000)).toMatchObject({ passwordDigest: null });
        await storage.freshLogins.dropExpired(NOW + 2000);
        expect(await storage.freshLogins.find('one', NOW)).toBeUndefined();
      });
    });

    describe('audit', () => {
      test('lists the newest first, of all or of one user, as many as asked for', async () => {
        const line = (userId: string, event: string) => ({
          at: NOW,
          userId,
          event,
          address: '192.0.2.1',
          deviceId: null,
          detail: { position: 3, first: true, door: 'page' },
        });
        for (const [userId, event] of [
          [ALICE, 'one'],
          [BOB, 'two'],
          [ALICE, 'three'],
        ] as const) {
          await storage.audit.append(line(userId, event));
        }
        expect(await storage.audit.list({ limit: 2 })).toEqual([line(ALICE, 'three'), line(BOB, 'two')]);
        expect(await storage.audit.list({ userId: ALICE })).toEqual([
          line(ALICE, 'three'),
          line(ALICE, 'one'),
        ]);
        expect(await storage.audit.list({})).toHaveLength(3);
      });

      const entry = (userId: string, event: string, number: number) => ({
        at: NOW,
        userId,
        event,
        address: null,
        deviceId: null,
        detail: { number },
      });
      const numbers = async (userId: string) =>
        (await storage.audit.list({ userId })).map(({ event, detail }) => `${event} ${detail.number}`);

      test('keeps the newest lines of one user and event, where there are to be so many', async () => {
        for (let number = 1; number <= 4; number += 1) {
          await storage.audit.append(entry(ALICE, 'kept', number));
          await storage.audit.append(entry(BOB, 'many', number), 9);
          await storage.audit.append(entry(ALICE, 'many', number), 2);
        }
        expect(await numbers(ALICE)).toEqual(['many 4', 'kept 4', 'many 3', 'kept 3', 'kept 2', 'kept 1']);
        expect(await numbers(BOB)).toHaveLength(4);
      });

      test('shows a history in which what is frequent pushes nothing else out', async () => {
        await storage.audit.append(entry(ALICE, 'rare', 1));
        await storage.audit.append(entry(BOB, 'rare', 9));
        for (let number = 1; number <= 5; number += 1) {
          await storage.audit.append(entry(ALICE, 'many', number));
          await storage.audit.append(entry(ALICE, 'often', number));
        }
        const shown = async (lines: number) => {
          const extent = { lines, frequent: ['many', 'often', 'never'], ofEachFrequent: 2 };
          const rows = await storage.read(findHistory(ALICE, extent));
          return rows.map(({ event, detail }) => `${event} ${JSON.parse(detail).number}`);
        };
        expect(await shown(9)).toEqual(['often 5', 'many 5', 'often 4', 'many 4', 'rare 1']);
        expect(await shown(2)).toEqual(['often 5', 'many 5']);
      });
    });

    describe('which database it is', () => {
      test('is said by an id that stays, and by when the first user turned 2FA on', async () => {
        const [before] = await storage.read(findDatabaseIdentity());
        expect(before).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), firstEnrolledAt: null });
        await enrol(storage, ALICE);
        const [first] = await storage.read(findDatabaseIdentity());
        expect(first).toEqual({ id: before?.id, firstEnrolledAt: expect.any(Number) });
        await storage.factors.removeAllFactors(ALICE, NOW + 1);
        await enrol(storage, BOB);
        const another = await opened.openAnother();
        expect(await another.read(findDatabaseIdentity())).toEqual([first]);
      });
    });

    describe('attack 170: renaming', () => {
      test('is counted for each user, ten in an hour, over two connections at once', async () => {
        await enrol(storage, ALICE);
        const another = await opened.openAnother();
        const counts = await Promise.all(
          Array.from({ length: 24 }, (_, at) =>
            (at % 2 === 0 ? storage : another).commit([ALICE], countRenaming(ALICE)),
          ),
        );
        expect(counts.filter((count) => count !== undefined)).toHaveLength(10);
        const [hour] = await storage.read(waitForRenaming(ALICE));
        expect(hour?.waitMs).toBeGreaterThan(0);
        expect(hour?.waitMs).toBeLessThanOrEqual(3_600_000);
      });

      test('is not for those who have 2FA off', async () => {
        expect(await storage.commit([BOB], countRenaming(BOB))).toBeUndefined();
      });
    });

    describe('attack 91: a database that cannot answer', () => {
      test('attack 91: gone: nothing is read, accepted or counted; back: everything goes on', async () => {
        await enrol(storage, ALICE, { step: 100 });
        await storage.check();
        const bringBack = await opened.takeAway();
        const id = `authenticator-1-${ALICE}`;
        await expect(storage.factors.isEnrolled(ALICE)).rejects.toThrow(StoreUnavailable);
        await expect(spendStep(storage, ALICE, id, 101)).rejects.toThrow(StoreUnavailable);
        await expect(countFailure(storage, ALICE)).rejects.toThrow(StoreUnavailable);
        await expect(storage.check()).rejects.toThrow(StoreUnavailable);
        await bringBack();
        await storage.check();
        expect(await storage.read(lanesOf(ALICE))).toEqual([]);
        expect(await spendStep(storage, ALICE, id, 101)).toBe(true);
      });

      test('attack 91: closed: every call says so', async () => {
        await storage.close();
        await expect(storage.factors.isEnrolled(ALICE)).rejects.toThrow(StoreUnavailable);
        await expect(storage.check()).rejects.toThrow(StoreUnavailable);
        await storage.close();
      });
    });

    test('closing keeps what was asked for before', async () => {
      const counted = countFailure(storage, ALICE);
      await storage.close();
      await counted;
      const next = await opened.openAnother();
      expect(await next.read(lanesOf(ALICE))).toHaveLength(1);
    });
  });
}

/** Starts `count` calls at once, in turn on each of the replicas. */
function raceOf<T>(
  count: number,
  [one, other]: readonly [Storage, Storage],
  call: (storage: Storage, index: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => call(index % 2 === 0 ? one : other, index)));
}

function setup(userId: string, different: Partial<Setup> = {}): Setup {
  return {
    id: `setup-1-${userId}`,
    userId,
    name: 'phone',
    sealedSeed: Buffer.from('sealed seed'),
    tokenHash: 'token hash',
    expiresAt: NOW + 10 * MINUTE,
    failures: 0,
    ...different,
  };
}

type Confirmation = Parameters<Storage['factors']['activate']>[0];

function confirmation(userId: string, different: Partial<Confirmation> = {}): Confirmation {
  return {
    setupId: `setup-1-${userId}`,
    userId,
    authenticatorId: `authenticator-of-${different.setupId}`,
    foldedLocalpart: userId.slice(1, userId.indexOf(':')),
    sealedSeed: Buffer.from('sealed anew'),
    step: 100,
    now: NOW,
    recovery: recoverySet('1'),
    ...different,
  };
}

/** Three codes `hash-<set>-1` and so on. */
function recoverySet(set: string): NewRecoverySet {
  return {
    salt: Buffer.from(`salt ${set}`),
    pepperKeyId: 'key',
    hashes: [1, 2, 3].map((position) => `hash-${set}-${position}`),
    tags: [1, 2, 3],
    generatedAt: NOW,
  };
}

/** Enrols `userId` with the authenticator `authenticator-<number>-<userId>`, and recovery codes of set <number>. */
async function enrol(
  storage: Storage,
  userId: string,
  { number = 1, step = 100, recovery = recoverySet(`${number}`) } = {},
): Promise<void> {
  const setupId = `setup-${number}-${userId}`;
  await storage.factors.beginSetup(setup(userId, { id: setupId }));
  const authenticatorId = `authenticator-${number}-${userId}`;
  const activated = await storage.factors.activate(
    confirmation(userId, { setupId, authenticatorId, step, recovery }),
  );
  expect(activated).toBe(true);
}

/** So many sessions in each pot, and no other limit. */
function upTo(perPot: number): SessionLimits {
  return { perPot, perUser: 9999, perHoldOrToken: 9999 };
}

function session(different: Partial<StoredSession> & { idHash: string }): StoredSession {
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
    pot: 'login',
    network: null,
    address: null,
    failures: 0,
    createdAt: NOW,
    expiresAt: NOW + 10 * MINUTE,
    ...different,
  };
}

function held(different: Partial<HeldLogin> & { id: string }): HeldLogin {
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
async function spendStep(
  storage: Storage,
  userId: string,
  authenticatorId: string,
  step: number,
): Promise<boolean> {
  const spent = await storage.commit([userId], spendStepOf(userId, { authenticatorId, step }));
  return spent !== undefined;
}

/** The position of a recovery code that this call has spent. */
async function spendCode(storage: Storage, userId: string, hash: string): Promise<number | undefined> {
  const spent = await storage.commit([userId], spendRecoveryCode(userId, hash));
  return spent?.position;
}

function countFailure(storage: Storage, userId: string): Promise<object | undefined> {
  return storage.commit([userId], countAttempt(userId, 'elsewhere', LANE_RULES));
}
