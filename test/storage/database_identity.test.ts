import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { findDatabaseIdentity } from '../../src/storage/tables/database_identity.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, enrol, NOW } from './rows.ts';

describeOnBothStores('which database it is', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('is said by an id that stays, and by when the first user turned 2FA on', async () => {
    const [before] = await storage.read(findDatabaseIdentity());
    expect(before).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), firstEnrolledAt: null });
    await enrol(storage, ALICE);
    const [first] = await storage.read(findDatabaseIdentity());
    expect(first).toEqual({ id: before?.id, firstEnrolledAt: expect.any(Number) });
    await opened.at(NOW + 1).factors.removeAllFactors(ALICE);
    await enrol(storage, BOB);
    const another = await opened.openAnother();
    expect(await another.read(findDatabaseIdentity())).toEqual([first]);
  });
});
