import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import {
  ALICE,
  BOB,
  confirmation,
  enrol,
  MINUTE,
  NOW,
  raceOf,
  recoverySet,
  setup,
  spendStep,
} from './rows.ts';

describeOnBothStores('set-ups', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('a set-up is found until its end, as it was kept', async () => {
    const begun = setup(ALICE);
    await storage.factors.beginSetup(begun);
    expect(await opened.at(begun.expiresAt - 1).factors.findSetup(begun.id)).toEqual(begun);
    expect(await opened.at(begun.expiresAt).factors.findSetup(begun.id)).toBeUndefined();
    expect(await opened.at(NOW).factors.findSetup('unknown')).toBeUndefined();
  });

  test('attack 59: a second start replaces the pending set-up of that user, and no one is enrolled', async () => {
    await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
    await storage.factors.beginSetup(setup(BOB, { id: 'other' }));
    await storage.factors.beginSetup(setup(ALICE, { id: 'two' }));
    expect(await storage.factors.findSetup('one')).toBeUndefined();
    expect(await storage.factors.findSetup('two')).toBeDefined();
    expect(await storage.factors.findSetup('other')).toBeDefined();
    expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'one' }))).toBe(false);
    expect(await storage.factors.anyoneEnrolled()).toBe(false);
  });

  test('expired set-ups are dropped, live ones are not', async () => {
    await storage.factors.beginSetup(setup(ALICE, { id: 'old', expiresAt: NOW }));
    await storage.factors.beginSetup(setup(BOB, { id: 'live', expiresAt: NOW + 1 }));
    await storage.factors.dropExpiredSetups();
    expect(await opened.at(NOW - 1).factors.findSetup('old')).toBeUndefined();
    expect(await opened.at(NOW).factors.findSetup('live')).toBeDefined();
  });

  test('attack 140: one of many confirmations takes a set-up, until its time or until it is given back', async () => {
    const begun = setup(ALICE, { id: 'one' });
    await storage.factors.beginSetup(begun);
    const taken = await raceOf(20, await replicasOf(opened), (one) => one.factors.takeSetup('one', NOW + 10));
    expect(taken.filter(Boolean)).toHaveLength(1);
    expect(await opened.at(NOW + 9).factors.takeSetup('one', NOW + 20, 'lost')).toBe(false);
    await storage.factors.giveSetupBack('one');
    expect(await storage.factors.takeSetup('one', NOW + 20, 'Pixel 9')).toBe(true);
    expect((await storage.factors.findSetup('one'))?.name).toBe('Pixel 9');
    expect(await opened.at(NOW + 20).factors.takeSetup('one', NOW + 30)).toBe(true);
    expect(await opened.at(begun.expiresAt).factors.takeSetup('one', begun.expiresAt + 1)).toBe(false);
    expect(await opened.at(NOW).factors.takeSetup('unknown', NOW + 10)).toBe(false);
  });

  test('wrong first codes are counted, and at the limit the set-up is gone', async () => {
    await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
    expect(await storage.factors.countSetupFailure('one', 3)).toBe(1);
    expect(await storage.factors.countSetupFailure('one', 3)).toBe(2);
    expect((await storage.factors.findSetup('one'))?.failures).toBe(2);
    expect(await storage.factors.countSetupFailure('one', 3)).toBe(3);
    expect(await storage.factors.findSetup('one')).toBeUndefined();
    expect(await storage.factors.countSetupFailure('one', 3)).toBe(3);
  });

  test('a set-up of another user, an unknown or an expired one is not activated', async () => {
    await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
    const end = NOW + 10 * MINUTE;
    expect(await storage.factors.activate(confirmation(BOB, { setupId: 'one' }))).toBe(false);
    expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'unknown' }))).toBe(false);
    expect(await opened.at(end).factors.activate(confirmation(ALICE, { setupId: 'one' }))).toBe(false);
    expect(await storage.factors.anyoneEnrolled()).toBe(false);
    expect(await opened.at(end - 1).factors.activate(confirmation(ALICE, { setupId: 'one' }))).toBe(true);
  });

  test('of 50 parallel confirmations of one set-up exactly one is accepted', async () => {
    await storage.factors.beginSetup(setup(ALICE, { id: 'one' }));
    const accepted = await raceOf(50, await replicasOf(opened), (one, index) =>
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
    expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'again', wasOn: true }))).toBe(
      false,
    );
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
      confirmation(ALICE, { setupId: 'again', authenticatorId: 'new', recovery: twice, wasOn: true }),
    );
    await expect(failed).rejects.toBeDefined();
    expect(await storage.factors.authenticators(ALICE)).toEqual(before);
    expect((await storage.factors.recoverySet(ALICE))?.codes[0]?.hash).toBe('hash-1-1');
    expect(await storage.factors.findSetup('again')).toBeDefined();
  });

  test('attack 216: a plan that is no longer true loses: no codes are made or dropped by it', async () => {
    await storage.factors.beginSetup(setup(ALICE, { id: 'first' }));
    await storage.factors.beginSetup(setup(BOB, { id: 'other' }));
    expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'first', wasOn: true }))).toBe(
      false,
    );
    expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'first' }))).toBe(true);
    await storage.factors.beginSetup(setup(ALICE, { id: 'again' }));
    const stale = confirmation(ALICE, {
      setupId: 'again',
      authenticatorId: 'new',
      recovery: recoverySet('2'),
    });
    expect(await storage.factors.activate(stale)).toBe(false);
    expect((await storage.factors.recoverySet(ALICE))?.codes[0]?.hash).toBe('hash-1-1');
    expect(await storage.factors.activate({ ...stale, wasOn: true, recovery: 'kept' })).toBe(true);
    expect((await storage.factors.recoverySet(ALICE))?.codes[0]?.hash).toBe('hash-1-1');
  });

  test('those that are replaced go with the confirmation, and only they; `none` drops the codes', async () => {
    await enrol(storage, ALICE, { step: 100 });
    await enrol(storage, BOB, { step: 100 });
    await storage.factors.beginSetup(setup(ALICE, { id: 'again', replaces: 'all' }));
    expect((await storage.factors.findSetup('again'))?.replaces).toBe('all');
    const replaced = [`authenticator-1-${ALICE}`, `authenticator-1-${BOB}`];
    const again = {
      setupId: 'again',
      authenticatorId: 'new',
      wasOn: true,
      replaced,
      recovery: 'none',
    } as const;
    expect(await storage.factors.activate(confirmation(ALICE, again))).toBe(true);
    expect((await storage.factors.authenticators(ALICE)).map(({ id }) => id)).toEqual(['new']);
    expect(await storage.factors.authenticators(BOB)).toHaveLength(1);
    expect(await storage.factors.recoverySet(ALICE)).toBeUndefined();
    expect(await storage.factors.recoverySet(BOB)).toBeDefined();
  });

  test('a set-up that a password alone has proven is not kept where 2FA is on', async () => {
    expect(await storage.factors.beginSetup(setup(ALICE, { id: 'first' }), true)).toBe(true);
    expect(await storage.factors.activate(confirmation(ALICE, { setupId: 'first' }))).toBe(true);
    expect(await storage.factors.beginSetup(setup(ALICE, { id: 'late' }), true)).toBe(false);
    expect(await storage.factors.findSetup('late')).toBeUndefined();
  });

  test('the twenty-first authenticator is not confirmed; of many set-ups turned off at once one wins', async () => {
    for (let number = 1; number <= 20; number += 1) await enrol(storage, ALICE, { step: 100, number });
    await storage.factors.beginSetup(setup(ALICE, { id: 'more' }));
    const more = confirmation(ALICE, {
      setupId: 'more',
      authenticatorId: 'new',
      wasOn: true,
      recovery: 'kept',
    });
    expect(await storage.factors.activate(more)).toBe(false);
    expect(await storage.factors.activate({ ...more, replaced: [`authenticator-1-${ALICE}`] })).toBe(true);
    expect(await storage.factors.authenticators(ALICE)).toHaveLength(20);
    const off = await raceOf(10, await replicasOf(opened), (one) => one.factors.turnOff(ALICE));
    expect(off.filter(Boolean)).toHaveLength(1);
    expect(await storage.factors.isEnrolled(ALICE)).toBe(false);
  });
});
