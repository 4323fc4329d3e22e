import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { effect } from '../../src/storage/statement.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { type Enrolled, enrol } from '../support/enrolment.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';

export const PASSWORD = 'correct horse';

/** A stub homeserver with people, and `serve` before it as a process of its own. */
export class Scene {
  private constructor(
    readonly stub: StubHomeserver,
    readonly serve: ServeProcess,
    readonly owners: readonly Enrolled[],
    private readonly folder: string,
  ) {}

  /**
   * With so many users who have 2FA on (`owner0`, …) and so many who have not (`guest0`, …).
   * @param hasTags whether wrong recovery codes are told without a hash
   */
  static async start(owners: number, guests: number, { hasTags = true } = {}): Promise<Scene> {
    const names = [...numbered('owner', owners), ...numbered('guest', guests)];
    const users = names.map((name) => ({ name, password: PASSWORD }));
    const stub = await startStub({ users });
    const folder = mkdtempSync(join(tmpdir(), 'storm-'));
    const enrolled = await enrolAll(folder, numbered('owner', owners), stub.serverName, hasTags);
    writeFileSync(
      join(folder, 'config.yaml'),
      [
        'listen: 127.0.0.1:0',
        'public_base_url: https://matrix.example.org',
        `homeserver: { url: ${stub.url} }`,
        'storage: { type: sqlite, path: 2fa.db }',
        'keys: { file: keys.json }',
        'trusted_proxies: [127.0.0.1]',
        'log: { level: warn }',
      ].join('\n'),
    );
    return new Scene(stub, await ServeProcess.start(join(folder, 'config.yaml')), enrolled, folder);
  }

  get port(): number {
    return Number(new URL(this.serve.url).port);
  }

  /** Ends everything; throws if `serve` did not end well. */
  async end(): Promise<void> {
    await this.stub.setDown(undefined);
    try {
      await this.serve.stop();
    } finally {
      await this.stub.stop();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${name}${number}`);
}

async function enrolAll(
  folder: string,
  names: readonly string[],
  serverName: string,
  hasTags: boolean,
): Promise<Enrolled[]> {
  const keys = join(folder, 'keys.json');
  createKeyFile(keys, systemRandom, systemClock);
  const vault = new SealingVault(loadKeyRing(keys), systemRandom);
  const storage = await openSqliteStorage({ path: join(folder, '2fa.db') });
  const parts = { store: storage.factors, vault, clock: systemClock };
  const enrolled: Enrolled[] = [];
  for (const name of names) {
    enrolled.push(await enrol(parts, `@${name}:${serverName}`, { recoveryCodes: 10 }));
  }
  if (!hasTags) await storage.commit([], effect('UPDATE recovery_codes SET tag = NULL'));
  await storage.close();
  return enrolled;
}
