import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
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
    expect(await storage.freshLogins.find('one')).toEqual(fresh);
    expect(await opened.at(NOW + 999).freshLogins.find('one')).toEqual(fresh);
    expect(await opened.at(NOW + 1000).freshLogins.find('one')).toBeUndefined();
    expect(await opened.at(NOW).freshLogins.find('unknown')).toBeUndefined();
    await storage.freshLogins.remember({ ...fresh, passwordDigest: null, expiresAt: NOW + 2000 });
    expect(await opened.at(NOW + 1000).freshLogins.find('one')).toMatchObject({ passwordDigest: null });
    await opened.at(NOW + 2000).freshLogins.dropExpired();
    expect(await opened.at(NOW).freshLogins.find('one')).toBeUndefined();
  });
});
