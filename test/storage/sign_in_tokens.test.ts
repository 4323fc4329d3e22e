import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
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
    expect(await opened.at(NOW + 999).signInTokens.find('one')).toEqual(token);
    expect(await opened.at(NOW).signInTokens.find('two')).toEqual(other);
    expect(await opened.at(NOW + 1000).signInTokens.find('one')).toBeUndefined();
    expect(await opened.at(NOW).signInTokens.find('unknown')).toBeUndefined();
    await storage.signInTokens.forget('one');
    expect(await storage.signInTokens.find('one')).toBeUndefined();
    await opened.at(NOW + 1000).signInTokens.dropExpired();
    expect(await opened.at(NOW).signInTokens.find('two')).toBeUndefined();
  });
});
