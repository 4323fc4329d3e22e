import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/stores.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, NOW } from './rows.ts';

describeOnBothStores('sign-in tokens', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

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
