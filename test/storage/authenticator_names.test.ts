import { beforeEach, expect, test } from '@jest/globals';
import type { Storage } from '../../src/storage/storage.ts';
import { countRenaming, waitForRenaming } from '../../src/storage/tables/authenticator_names.ts';
import { describeOnBothStores } from './on_both.ts';
import { ALICE, BOB, enrol } from './rows.ts';

describeOnBothStores('attack 170: renaming', (opened) => {
  let storage: Storage;

  beforeEach(() => {
    storage = opened.storage;
  });

  test('is counted for each user, ten in an hour, over two connections at once', async () => {
    await enrol(storage, ALICE);
    const another = await opened.openAnother();
    const counts = await Promise.all(
      Array.from({ length: 24 }, (_, at) =>
        (at % 2 === 0 ? storage : another).commit([ALICE], countRenaming(ALICE)),
      ),
    );
    expect(counts.filter((count) => count !== undefined)).toHaveLength(10);
    const [hour] = await storage.read(waitForRenaming(ALICE));
    expect(hour?.waitMs).toBeGreaterThan(0);
    expect(hour?.waitMs).toBeLessThanOrEqual(3_600_000);
  });

  test('is not for those who have 2FA off', async () => {
    expect(await storage.commit([BOB], countRenaming(BOB))).toBeUndefined();
  });
});
