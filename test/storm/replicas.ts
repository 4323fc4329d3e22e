import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import { createProxy } from '../../src/server/proxy.ts';
import { openStorage } from '../../src/storage/open_storage.ts';
import { ask } from '../../src/storage/statement.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { freePort } from '../../tools/free_port.ts';
import { type Enrolled, enrol } from '../support/enrolment.ts';
import { type Balancer, startHaproxy } from '../support/haproxy.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';
import { PASSWORD } from './scene.ts';

const MINUTE = 60_000;

/** What the store says when everything is over. */
export interface TheEnd {
  /** How many logins are held. */
  readonly held: number;
  /** For each login that was handed out on record its user. */
  readonly released: readonly string[];
}

/** Two `serve` processes on one PostgreSQL database behind HAProxy, before a stub homeserver with owners. */
export class Replicas {
  private processes: ServeProcess[] = [];

  private constructor(
    readonly stub: StubHomeserver,
    readonly balancer: Balancer,
    readonly owners: readonly Enrolled[],
    private readonly configs: readonly string[],
    private readonly folder: string,
  ) {}

  /**
   * @param around the program of HAProxy, and the URL of an empty database
   * @param people how many owners there are, with how many recovery codes each
   */
  static async start(
    around: { readonly haproxy: string; readonly database: string },
    people: { readonly owners: number; readonly recoveryCodes: number },
  ): Promise<Replicas> {
    const names = Array.from({ length: people.owners }, (_, number) => `owner${number}`);
    const stub = await startStub({ users: names.map((name) => ({ name, password: PASSWORD })) });
    const folder = mkdtempSync(join(tmpdir(), 'replicas-'));
    const ports = [await freePort(), await freePort()];
    const configs = ports.map((port) => writeConfig(folder, port, stub.url, around.database));
    const owners = await enrolAll(folder, configs[0] ?? '', names, people.recoveryCodes);
    const processes = await Promise.all(configs.map((config) => ServeProcess.start(config)));
    const replicas = new Replicas(stub, await startHaproxy(around.haproxy, ports), owners, configs, folder);
    replicas.processes = processes;
    return replicas;
  }

  /** Kill -9 of one of the two, which is started again, as its supervisor does, and gets requests again. */
  async kill(which: number): Promise<void> {
    await this.processes[which]?.kill();
    const config = this.configs[which] ?? '';
    const started = await ServeProcess.start(config);
    this.processes[which] = started;
    await this.balancer.uses(Number(new URL(started.url).port));
  }

  /** Ends both, and lets ten minutes go by, in which another process keeps house. */
  async inTheEnd(): Promise<TheEnd> {
    await Promise.all(this.processes.splice(0).map((each) => each.stop()));
    const clock = new ManualClock(Date.now() + 10 * MINUTE);
    const proxy = await createProxy(loadConfig(this.configs[0] ?? '', {}), { clock });
    try {
      await proxy.keepHouse();
      await proxy.keepHouse();
      const [held] = await proxy.storage.read(ask<{ count: number }>('SELECT count(*) AS count FROM holds'));
      const audit = await proxy.storage.audit.list({});
      return {
        held: held?.count ?? 0,
        released: audit.filter(({ event }) => event === 'login.completed').map(({ userId }) => userId),
      };
    } finally {
      await proxy.close(0);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.processes.map((each) => each.stop()));
    await this.balancer.stop();
    await this.stub.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function writeConfig(folder: string, port: number, homeserver: string, database: string): string {
  const file = join(folder, `${port}.yaml`);
  writeFileSync(
    file,
    [
      `listen: 127.0.0.1:${port}`,
      'public_base_url: https://matrix.example.org',
      `homeserver: { url: ${homeserver} }`,
      `storage: { type: postgres, url: "${database}", tls: disable }`,
      'keys: { file: keys.json }',
      'trusted_proxies: [127.0.0.1]',
      'log: { level: warn }',
    ].join('\n'),
  );
  return file;
}

async function enrolAll(
  folder: string,
  config: string,
  names: readonly string[],
  recoveryCodes: number,
): Promise<Enrolled[]> {
  const keys = join(folder, 'keys.json');
  createKeyFile(keys, systemRandom, systemClock);
  const vault = new SealingVault(loadKeyRing(keys), systemRandom);
  const storage = await openStorage(loadConfig(config, {}).storage, {
    clock: systemClock,
    random: systemRandom,
  });
  const parts = { store: storage.factors, vault, clock: systemClock };
  const enrolled: Enrolled[] = [];
  for (const name of names) enrolled.push(await enrol(parts, `@${name}:localhost`, { recoveryCodes }));
  await storage.close();
  return enrolled;
}
