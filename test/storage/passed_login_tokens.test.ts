import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { growVersion } from '../../src/storage/tables/accounts.ts';
import { describeOnBothStores, replicasOf } from './on_both.ts';
import { ALICE, BOB, NOW, raceOf } from './rows.ts';

describeOnBothStores('login tokens', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('attack 36: a token passed under 2FA is redeemed once, in its time, by its user', async () => {
    await storage.loginTokens.remember({ tokenHash: 'one', userId: ALICE, expiresAt: NOW + 1000 }, 0);
    await storage.loginTokens.remember({ tokenHash: 'late', userId: ALICE, expiresAt: NOW + 1000 }, 0);
    expect(await storage.loginTokens.redeem('unknown', ALICE)).toBe(false);
    expect(await storage.loginTokens.redeem('one', BOB)).toBe(false);
    expect(await opened.at(NOW + 1000).loginTokens.redeem('late', ALICE)).toBe(false);
    const redeemed = await raceOf(50, await replicasOf(opened), (one) =>
      opened.at(NOW + 999, one).loginTokens.redeem('one', ALICE),
    );
    expect(redeemed.filter(Boolean)).toHaveLength(1);
  });

  test('attack 183: a token of another version of the account has ended, and is not revived', async () => {
    const token = { tokenHash: 'one', userId: ALICE, expiresAt: NOW + 1000 };
    await storage.commit([ALICE], growVersion(ALICE));
    await storage.loginTokens.remember(token, 0);
    expect(await storage.loginTokens.isEnded('one')).toBe(true);
    await storage.loginTokens.remember(token, 1);
    expect(await storage.loginTokens.redeem('one', ALICE)).toBe(false);
    await storage.loginTokens.remember({ ...token, tokenHash: 'two' }, 1);
    expect(await storage.loginTokens.redeem('two', ALICE)).toBe(true);
  });

  test('expired tokens are dropped', async () => {
    await storage.loginTokens.remember({ tokenHash: 'a', userId: ALICE, expiresAt: NOW + 1 }, 0);
    await storage.loginTokens.remember({ tokenHash: 'b', userId: ALICE, expiresAt: NOW + 2 }, 0);
    await opened.at(NOW + 1).loginTokens.dropExpired();
    expect(await opened.at(NOW).loginTokens.redeem('a', ALICE)).toBe(false);
    expect(await storage.loginTokens.redeem('b', ALICE)).toBe(true);
  });
});
