import { expect, test } from '@jest/globals';
import { keyFit } from '../../src/doctor/key_fit.ts';
import { KNOWN_SCHEMA } from '../../src/storage/look.ts';
import { keepSetup } from '../../src/storage/tables/setups.ts';
import { systemRandom } from '../../src/system/random.ts';
import type { RingKey } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { describeOnBothStores } from '../storage/on_both.ts';
import { setup } from '../storage/rows.ts';

const first: RingKey = { id: 'first', created: 1, secret: Buffer.alloc(32, 1) };
const second: RingKey = { id: 'the second', created: 2, secret: Buffer.alloc(32, 2) };

describeOnBothStores('which keys a database needs', (opened) => {
  test('a key is missed for what is not an authenticator, too: an older copy of the key file lacks the newest', async () => {
    const { storage } = opened;
    for (const key of [first, second]) {
      const vault = new SealingVault({ active: key, keys: [key] }, systemRandom);
      const userId = `@${key.created}:hs.example`;
      const sealedSeed = vault.seal('seed', `setup:id ${userId}:${userId}`);
      await storage.commit([], keepSetup(setup(userId, { id: `id ${userId}`, sealedSeed }), false));
    }
    const lost = async (...keys: [RingKey, ...RingKey[]]) => {
      const database = { schema: KNOWN_SCHEMA, read: storage.read };
      return (await keyFit(database, { active: keys[0], keys }, systemRandom)).lost;
    };
    expect([await lost(first, second), await lost(first), await lost(second)]).toEqual([0, 1, 1]);
  });
});
