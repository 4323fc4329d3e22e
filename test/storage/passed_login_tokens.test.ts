import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/stores.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, NOW, raceOf } from './rows.ts';

describeOnBothStores('login tokens', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('attack 36: a token passed under 2FA is redeemed once, in its time, by its user', async () => {
    await storage.loginTokens.remember({ tokenHash: 'one', userId: ALICE, expiresAt: NOW + 1000 });
    await storage.loginTokens.remember({ tokenHash: 'late', userId: ALICE, expiresAt: NOW + 1000 });
    expect(await storage.loginTokens.redeem('unknown', ALICE, NOW)).toBe(false);
    expect(await storage.loginTokens.redeem('one', BOB, NOW)).toBe(false);
    expect(await storage.loginTokens.redeem('late', ALICE, NOW + 1000)).toBe(false);
    const redeemed = await raceOf(50, await replicasOf(opened), (one) =>
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
