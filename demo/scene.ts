import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { loadConfig } from '../src/config/load.ts';
import { createProxy, type MatrixProxy } from '../src/server/proxy.ts';
import type { Clock } from '../src/system/clock.ts';
import { systemRandom } from '../src/system/random.ts';
import { createKeyFile } from '../src/vault/key_ring.ts';
import { isFree } from '../tools/free_port.ts';
import { ensureSynapse } from '../tools/synapse/install.ts';
import { type SynapseServer, startSynapse } from '../tools/synapse/server.ts';
import { DemoFailure } from './demo_failure.ts';
import { ISSUER } from './phone.ts';
import { ENVIRONMENT, placesIn } from './places.ts';

export interface SceneOptions {
  readonly folder: string;
  /** The proxy's port on 127.0.0.1. */
  readonly port: number;
  readonly clock: Clock;
  /** A homeserver that runs already; without it a Synapse is started. */
  readonly homeserverUrl: string | undefined;
  /** Told in one line what takes long. */
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** A homeserver with the proxy in front of it. */
export class Scene {
  #proxy: MatrixProxy | undefined;

  private constructor(
    /** Where clients go. */
    readonly url: string,
    readonly homeserverUrl: string,
    /** The Synapse that this scene started. */
    readonly synapse: SynapseServer | undefined,
    private readonly options: SceneOptions,
  ) {}

  /** @throws DemoFailure, SynapseInstallError, SynapseStartError, and what `createProxy` throws */
  static async open(options: SceneOptions): Promise<Scene> {
    const url = `http://127.0.0.1:${options.port}`;
    const synapse = options.homeserverUrl === undefined ? await synapseFor(options) : undefined;
    const homeserverUrl = synapse?.url ?? options.homeserverUrl ?? '';
    const scene = new Scene(url, homeserverUrl, synapse, options);
    try {
      await requireHomeserver(homeserverUrl);
      await scene.raiseProxy();
      return scene;
    } catch (error) {
      await scene.close();
      throw error;
    }
  }

  get folder(): string {
    return this.options.folder;
  }

  get clock(): Clock {
    return this.options.clock;
  }

  get proxy(): MatrixProxy {
    if (this.#proxy === undefined) throw new Error('the proxy does not run');
    return this.#proxy;
  }

  /** Ends the proxy and starts it again on the same data. */
  async restartProxy(): Promise<void> {
    await this.lowerProxy();
    await this.raiseProxy();
  }

  async close(): Promise<void> {
    await this.lowerProxy();
    await this.synapse?.stop();
  }

  private async raiseProxy(): Promise<void> {
    const config = loadConfig(await this.writeConfig(), {});
    const proxy = await createProxy(config, { clock: this.clock });
    this.#proxy = proxy;
    try {
      await proxy.listen();
    } catch (error) {
      throw isAddressInUse(error) ? portIsBusy(this.options.port, error) : error;
    }
  }

  private async lowerProxy(): Promise<void> {
    await this.#proxy?.close(0);
    this.#proxy = undefined;
  }

  private async writeConfig(): Promise<string> {
    const { config, keys } = placesIn(this.folder);
    await mkdir(this.folder, { recursive: true });
    if (!existsSync(keys)) createKeyFile(keys, systemRandom, this.clock);
    const lines = [
      '# Written at each start of the demo.',
      `listen: 127.0.0.1:${this.options.port}`,
      `public_base_url: ${this.url}`,
      `homeserver: { url: "${this.homeserverUrl}" }`,
      'storage: { type: sqlite, path: 2fa.db }',
      'keys: { file: keys.json }',
      `totp: { issuer: ${ISSUER} }`,
    ];
    await writeFile(config, `${lines.join('\n')}\n`);
    return config;
  }
}

/** @throws DemoFailure if another program listens on that port of 127.0.0.1 */
export async function requireFreePort(port: number): Promise<void> {
  if (!(await isFree(port))) throw portIsBusy(port);
}

async function synapseFor({ folder, onProgress, signal }: SceneOptions): Promise<SynapseServer> {
  const environment = await ensureSynapse({ directory: ENVIRONMENT, onProgress, signal });
  return startSynapse({
    environment,
    directory: placesIn(folder).synapse,
    // Synapse by itself grants an account five logins and then one in 5½ minutes: too few for trying things.
    limits: 'generous',
    log: onProgress,
    signal,
  });
}

async function requireHomeserver(url: string): Promise<void> {
  const answer = await fetch(`${url}/_matrix/client/versions`).catch(() => undefined);
  if (!answer?.ok) throw new DemoFailure(`No Matrix homeserver answers at ${url}.`);
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

function portIsBusy(port: number, cause?: unknown): DemoFailure {
  return new DemoFailure(
    `Port ${port} of 127.0.0.1 is taken by another program (another demo, perhaps): end that one first.`,
    { cause },
  );
}
