/**
 * The whole application before a real homeserver, with users enrolled, as a process whose CPU time can be read:
 * `tsx login_server.ts FOLDER HOMESERVER USER_ID…`. Writes FOLDER/enrolled.json and prints its port.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { enrol } from '../../test/support/enrolment.ts';
import { importBuilt } from './built.ts';

const { loadConfig } = await importBuilt<typeof import('../../src/config/load.ts')>('config/load.js');
const { createProxy } = await importBuilt<typeof import('../../src/server/proxy.ts')>('server/proxy.js');

/** What a user of the bench signs in with. */
export interface BenchUser {
  readonly userId: string;
  /** In hex. */
  readonly seed: string;
  readonly recoveryCode: string;
}

async function main(folder: string, homeserver: string, userIds: readonly string[]): Promise<void> {
  const configFile = join(folder, 'config.yaml');
  createKeyFile(join(folder, 'keys.json'), systemRandom, systemClock);
  writeFileSync(
    configFile,
    [
      'listen: 127.0.0.1:0',
      `homeserver: { url: ${homeserver} }`,
      'storage: { type: sqlite, path: 2fa.db }',
      'keys: { file: keys.json }',
      'limits: { per_address: { per_second: 1000000, burst_count: 1000000 } }',
    ].join('\n'),
  );
  const proxy = await createProxy(loadConfig(configFile, {}), {});
  const vault = new SealingVault(loadKeyRing(join(folder, 'keys.json')), systemRandom);
  const users: BenchUser[] = [];
  for (const userId of userIds) {
    const parts = { store: proxy.storage.factors, vault, clock: systemClock };
    const { seed, recoveryCodes } = await enrol(parts, userId, { recoveryCodes: 2 });
    users.push({ userId, seed: seed.toString('hex'), recoveryCode: recoveryCodes[0] ?? '' });
  }
  writeFileSync(join(folder, 'enrolled.json'), JSON.stringify(users));
  process.stdout.write(`${new URL(await proxy.listen()).port}\n`);
}

void main(process.argv[2] ?? '', process.argv[3] ?? '', process.argv.slice(4));
