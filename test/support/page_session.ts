import { join } from 'node:path';
import { ask } from '../../src/storage/statement.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import type { TestApp } from './app.ts';

/** The newest session of the sign-in page: its id is in no page and no address. */
export async function pageSession({ storage, directory }: TestApp): Promise<string> {
  const [row] = await storage.read(
    ask<{ hash: string; sealed: Buffer }>(
      `SELECT id_hash AS hash, sealed_id AS sealed FROM sessions WHERE pot = 'page' ORDER BY rowid DESC LIMIT 1`,
    ),
  );
  if (row === undefined) throw new Error('there is no session of the page');
  const vault = new SealingVault(loadKeyRing(join(directory, 'keys.json')), systemRandom);
  return vault.open(row.sealed, `session-id:${row.hash}`).toString();
}
