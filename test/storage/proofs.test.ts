import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { renameAuthenticator } from '../../src/storage/tables/authenticator_names.ts';
import { describeOnBothStores } from './on_both.ts';
import {
  ALICE,
  BOB,
  claim,
  confirmation,
  enrol,
  held,
  MINUTE,
  NOW,
  recoverySet,
  session,
  setup,
  spendCode,
  spendStep,
  upTo,
} from './rows.ts';

describeOnBothStores('what a change of the factors ends (R1, R12)', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

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
    [
      'a new authenticator',
      () => storage.factors.activate(confirmation(ALICE, { setupId: 'again', wasOn: true })),
    ],
    [
      'one authenticator removed',
      () => storage.factors.removeAuthenticator(ALICE, `authenticator-1-${ALICE}`),
    ],
    ['new recovery codes', () => storage.factors.replaceRecoverySet(ALICE, recoverySet('2'))],
    ['recovery codes deleted', () => storage.factors.deleteRecoverySet(ALICE)],
    ['another password, or logout/all', () => storage.factors.endProofs(ALICE)],
  ];

  test.each(changes)(
    'attack 153: %s ends what that user had proven before, and no one else’s',
    async (_what, change) => {
      for (const userId of [ALICE, BOB]) {
        await storage.loginTokens.remember({ tokenHash: userId, userId, expiresAt: NOW + MINUTE }, 0);
        await storage.freshLogins.remember({
          tokenHash: userId,
          userId,
          passwordDigest: null,
          expiresAt: NOW + MINUTE,
        });
      }
      await storage.factors.beginSetup(setup(BOB, { id: 'his' }));
      await change();
      expect(await storage.factors.findSetup('again')).toBeUndefined();
      expect(await storage.factors.findSetup('his')).toBeDefined();
      expect(await storage.freshLogins.find(ALICE)).toBeUndefined();
      expect(await storage.freshLogins.find(BOB)).toBeDefined();
      expect(await storage.loginTokens.isEnded(ALICE)).toBe(true);
      expect(await opened.at(NOW + MINUTE).loginTokens.isEnded(ALICE)).toBe(false);
      expect(await opened.at(NOW).loginTokens.isEnded(BOB)).toBe(false);
      expect(await storage.loginTokens.redeem(ALICE, ALICE)).toBe(false);
      expect(await storage.loginTokens.redeem(BOB, BOB)).toBe(true);
    },
  );

  test.each(changes)('attack 180: %s ends the sign-ins and sessions under way', async (_what, change) => {
    await claim(storage, `hold-${ALICE}`, 'finisher', NOW + MINUTE);
    await change();
    expect(await storage.holds.find(`hold-${ALICE}`)).toBeUndefined();
    expect(await storage.holds.end(`hold-${ALICE}`, 'finisher')).toBe(false);
    expect(await storage.sessions.find(`sign-in-${ALICE}`)).toBeUndefined();
    expect(await storage.sessions.find(`live-${ALICE}`)).toBeUndefined();
    expect(await storage.sessions.find(`live-${BOB}`)).toBeDefined();
    expect(await storage.holds.find(`hold-${BOB}`)).toBeDefined();
    expect(await storage.sessions.find(`sign-in-${BOB}`)).toBeDefined();
    const ended = await storage.holds.leaseEnded(NOW + MINUTE, 10);
    expect(ended.map((hold) => hold.id)).toEqual([`hold-${ALICE}`]);
  });

  test('attack 39: 2FA off ends all that stands on it; a sign-in stays known, without its login', async () => {
    await storage.sessions.open(session({ idHash: 'without hold', userId: ALICE, holdId: 'gone' }), upTo(99));
    await storage.factors.removeAllFactors(ALICE);
    expect(await storage.holds.find(`hold-${ALICE}`)).toBeUndefined();
    expect(await storage.sessions.find(`live-${ALICE}`)).toBeUndefined();
    expect(await storage.sessions.find('without hold')).toBeUndefined();
    expect(await storage.sessions.find(`sign-in-${ALICE}`)).toBeDefined();
    expect(await storage.sessions.find(`live-${BOB}`)).toBeDefined();
  });

  test('what changed nothing ends nothing', async () => {
    await storage.factors.removeAuthenticator(ALICE, 'unknown');
    await storage.factors.activate(confirmation(ALICE, { setupId: 'unknown' }));
    await spendStep(storage, ALICE, `authenticator-1-${ALICE}`, 10_000);
    await spendCode(storage, ALICE, 'hash-2-1');
    await storage.commit([ALICE], renameAuthenticator(ALICE, `authenticator-1-${ALICE}`, 'tablet'));
    expect(await storage.holds.find(`hold-${ALICE}`)).toBeDefined();
    expect(await storage.sessions.find(`sign-in-${ALICE}`)).toBeDefined();
  });
});
