/**
 * The whole application of one tree, as a process whose CPU time can be read:
 * `tsx tree_server.ts TREE FOLDER HOMESERVER USER_ID…`. Writes FOLDER/enrolled.json and prints its port.
 * SIGUSR2 sets its clock on by one time step of TOTP.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What a user of the bench signs in with. */
export interface EnrolledUser {
  readonly userId: string;
  /** In hex. */
  readonly seed: string;
}

/** How far SIGUSR2 sets the clock on. */
export const STEP_MS = 30_000;

let aheadMs = 0;
process.on('SIGUSR2', () => {
  aheadMs += STEP_MS;
});
const clock = { now: () => Date.now() + aheadMs };

async function main(args: readonly string[]): Promise<void> {
  const [tree = '', folder = '', homeserver = '', ...userIds] = args;
  // Another tree may have had another shape: what is not measured is read from its sources.
  const load = (file: string) => import(pathToFileURL(join(tree, file)).href);
  const proxyFile = ['dist/server/proxy.js', 'dist/proxy/proxy.js'].find((file) =>
    existsSync(join(tree, file)),
  );
  const { createProxy } = await load(proxyFile ?? '');
  const { loadConfig } = await load('dist/config/load.js');
  const { createKeyFile, loadKeyRing } = await load('dist/vault/key_ring.js');
  const { SealingVault } = await load('dist/vault/sealing_vault.js');
  const { systemRandom } = await load('dist/system/random.js');
  const { enrol } = await load('test/support/enrolment.ts');

  mkdirSync(folder, { recursive: true });
  createKeyFile(join(folder, 'keys.json'), systemRandom, clock);
  const configFile = join(folder, 'config.yaml');
  writeFileSync(
    configFile,
    [
      'listen: 127.0.0.1:0',
      'public_base_url: https://matrix.example.org',
      `homeserver: { url: ${homeserver} }`,
      'storage: { type: sqlite, path: 2fa.db }',
      'keys: { file: keys.json }',
      'limits: { per_address: { per_second: 1000000, burst_count: 1000000 } }',
    ].join('\n'),
  );
  const proxy = await createProxy(loadConfig(configFile, {}), { clock });
  const vault = new SealingVault(loadKeyRing(join(folder, 'keys.json')), systemRandom);
  const users: EnrolledUser[] = [];
  for (const userId of userIds) {
    const parts = { store: proxy.storage.factors, vault, clock };
    const { seed } = await enrol(parts, userId, { recoveryCodes: 1 });
    users.push({ userId, seed: seed.toString('hex') });
  }
  writeFileSync(join(folder, 'enrolled.json'), JSON.stringify(users));
  const { port } = new URL(await proxy.listen());
  process.stdout.write(`${port}\n`);
}

if (process.argv[1]?.endsWith('tree_server.ts')) await main(process.argv.slice(2));
