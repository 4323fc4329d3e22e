import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { renameAuthenticator } from '../../src/storage/tables/authenticator_names.ts';
import { lanesOf } from '../../src/storage/tables/lanes.ts';
import { listMayOwe, setPolicy } from '../../src/storage/tables/policies.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import {
  ALICE,
  BOB,
  countFailure,
  enrol,
  held,
  NOW,
  raceOf,
  session,
  setup,
  spendCode,
  spendStep,
  upTo,
} from './rows.ts';

describeOnBothStores('authenticators', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('no one is enrolled at first', async () => {
    expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
    expect(await storage.factors.anyoneEnrolled()).toBe(false);
    expect(await storage.read(listMayOwe(['alice']))).toEqual([]);
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
        kind: 'totp',
        name: 'phone',
        sealedSeed: Buffer.from('sealed anew'),
        enabledAt: NOW,
        lastUsedAt: null,
        lastStep: 100,
      },
    ]);
    expect(await storage.factors.findSetup(`setup-1-${ALICE}`)).toBeUndefined();
  });

  test('the hint goes by the folded local part of enrolled users only', async () => {
    await storage.factors.beginSetup(setup(BOB));
    await enrol(storage, ALICE);
    expect(await storage.read(listMayOwe(['alice', 'carol']))).toEqual([{ userId: ALICE }]);
    expect(await storage.read(listMayOwe(['bob']))).toEqual([]);
    await storage.factors.removeAllFactors(ALICE);
    expect(await storage.read(listMayOwe(['alice']))).toEqual([]);
  });

  test('the hint goes by the same name of those of whom a second factor is asked by command, and of no one else', async () => {
    const set = (userId: string, mode: 'required' | 'optional' | null, foldedLocalpart: string) =>
      storage.commit(
        [userId],
        setPolicy(userId, { mode, graceMs: null, graceUntil: null, foldedLocalpart }, false),
      );
    await set(ALICE, 'required', 'alice');
    await set(BOB, 'optional', 'bob');
    expect(await storage.read(listMayOwe(['bob', 'alice']))).toEqual([{ userId: ALICE }]);
    expect(await storage.read(listMayOwe(['bob', 'carol']))).toEqual([]);
    await set(ALICE, null, 'alice');
    expect(await storage.read(listMayOwe(['alice']))).toEqual([]);
  });

  test('enrolled users are listed in order', async () => {
    for (const user of ['@c:hs', '@a:hs', '@b:hs']) await enrol(storage, user);
    expect(await storage.factors.enrolledUsers()).toEqual(['@a:hs', '@b:hs', '@c:hs']);
  });

  test('attack 53: of 200 parallel uses of one step exactly one is accepted, over two replicas', async () => {
    await enrol(storage, ALICE, { step: 100 });
    const accepted = await raceOf(200, await replicasOf(opened), (one) =>
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
    const removal = await storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`);
    expect(removal).toBe(true);
    expect(await storage.factors.isEnrolled(ALICE)).toBe(true);
    expect(await storage.factors.recoverySet(ALICE)).toBeDefined();
  });

  test('removing the last authenticator switches 2FA off and removes the codes', async () => {
    await enrol(storage, ALICE);
    await enrol(storage, BOB);
    const removal = await storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`);
    expect(removal).toBe(true);
    expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
    expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
    expect(await spendCode(storage, ALICE, 'hash-1-1')).toBeUndefined();
    expect(await storage.factors.isEnrolled(BOB)).toBe(true);
  });

  test('an authenticator of another user, or an unknown one, is not removed', async () => {
    await enrol(storage, ALICE);
    await enrol(storage, BOB);
    const foreign = await storage.factors.removeAuthenticator(BOB, `authenticator-1-${ALICE}`);
    expect(foreign).toBe(false);
    expect(await storage.factors.removeAuthenticator('@nobody:hs', 'unknown')).toBe(false);
    expect(await storage.factors.authenticators(ALICE)).toHaveLength(1);
  });

  test('of 50 parallel removals of one authenticator exactly one removed it', async () => {
    await enrol(storage, ALICE);
    const removals = await raceOf(50, await replicasOf(opened), (one) =>
      one.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`),
    );
    expect(removals.filter((removed) => removed)).toHaveLength(1);
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
    expect(await storage.factors.removeAllFactors(ALICE)).toBe(2);
    expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
    expect(await storage.factors.authenticators(ALICE)).toEqual([]);
    expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
    expect(await storage.factors.findSetup(`pending-${ALICE}`)).toBeUndefined();
    expect(await storage.read(lanesOf(ALICE))).toEqual([]);
    expect(await storage.sessions.find(`session-${ALICE}`)).toBeUndefined();
    expect(await storage.holds.find(`hold-${ALICE}`)).toBeUndefined();
    expect((await storage.holds.leaseEnded(NOW + 1, 9)).map((hold) => hold.id)).toEqual([`hold-${ALICE}`]);

    expect(await storage.factors.authenticators(BOB)).toHaveLength(2);
    expect(await storage.factors.recoverySet(BOB)).toBeDefined();
    expect(await storage.factors.findSetup(`pending-${BOB}`)).toBeDefined();
    expect(await storage.read(lanesOf(BOB))).toHaveLength(1);
    expect(await storage.sessions.find(`session-${BOB}`)).toBeDefined();
    expect(await storage.holds.find(`hold-${BOB}`)).toBeDefined();
    expect(await storage.factors.removeAllFactors('@nobody:hs')).toBe(0);
  });
});
