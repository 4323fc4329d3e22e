import { systemRandom } from '../../src/system/random.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import type { Vault } from '../../src/vault/vault.ts';

/** The real vault over one key that is the same in every test. */
export function testVault(): Vault {
  const key = { id: 'test', created: 0, secret: Buffer.alloc(32, 7) };
  return new SealingVault({ active: key, keys: [key] }, systemRandom);
}
