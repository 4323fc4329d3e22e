import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/stores.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, NOW } from './rows.ts';

describeOnBothStores('fresh logins', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

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
