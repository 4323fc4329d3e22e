import type { Config } from '../config/config.ts';
import { PROBE_HEADER } from '../discovery/probes.ts';
import { dropProbe, keepProbe } from '../storage/tables/probes.ts';
import type { Clock } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import { AskedOnce, InstalledDatabase } from './installed_database.ts';
import type { PublicView } from './public_view.ts';
import type { SynapseFile } from './synapse_file.ts';
import { isSuccess, type Reply, type Web } from './web.ts';

/** An own route that needs neither homeserver nor store for a probe. */
export const PROBED_PATH = '/_matrix/client/versions';

export interface InstallationParts {
  readonly config: Config;
  readonly configFile: string;
  /** Files of the configuration that hold secrets, but the key file and the database. */
  readonly secretFiles: readonly string[];
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly web: Web;
  readonly synapseFile?: SynapseFile | undefined;
  readonly serverName?: string | undefined;
  readonly slowSeconds?: number | undefined;
  readonly furtherCertificates?: string | undefined;
}

/** An installation as seen from its own machine. What several checks need is asked once. */
export class Installation implements PublicView {
  private readonly asked = new AskedOnce();
  private probeHash: string | undefined;

  readonly database: InstalledDatabase;

  constructor(readonly parts: InstallationParts) {
    this.database = new InstalledDatabase(parts);
  }

  get config(): Config {
    return this.parts.config;
  }

  get publicUrl(): string {
    return this.config.publicBaseUrl;
  }

  get web(): Web {
    return this.parts.web;
  }

  get serverName(): string | undefined {
    return this.parts.serverName ?? this.parts.synapseFile?.serverName;
  }

  get slowSeconds(): number | undefined {
    return this.parts.slowSeconds;
  }

  get furtherCertificates(): string | undefined {
    return this.parts.furtherCertificates;
  }

  readonly nowMs = (): number => this.parts.clock.now();

  get inside() {
    return {
      homeserverUrl: this.config.homeserver.url,
      synapseFile: this.parts.synapseFile,
      nonce: () => this.nonce(),
      noPublicWay: () => this.noPublicWay(),
    };
  }

  /** What the homeserver answers to a request that needs no account. */
  homeserver(target: string): Promise<Reply> {
    return this.asked.of(`homeserver ${target}`, () => this.web.ask(this.config.homeserver.url, { target }));
  }

  /** Whether the homeserver answers at all. */
  async homeserverAnswers(): Promise<boolean> {
    const reply = await this.homeserver('/_matrix/client/versions');
    return reply.answered && reply.status < 500;
  }

  /** A nonce for probes, kept in the store; undefined while that is not possible. */
  nonce(): Promise<string | undefined> {
    return this.asked.of('nonce', async () => {
      const storage = await this.database.storage();
      if (storage === undefined) return undefined;
      const nonce = randomId(this.parts.random);
      try {
        await storage.commit([], keepProbe(hashToken(nonce)));
        this.probeHash = hashToken(nonce);
        return nonce;
      } catch {
        return undefined;
      }
    });
  }

  /** Sends a probe through the public address. */
  async probe(
    method: string,
    target: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    const nonce = (await this.nonce()) ?? '';
    return this.web.ask(this.publicUrl, { method, target, headers: { [PROBE_HEADER]: nonce, ...headers } });
  }

  /** The first probe, on which all others rest. */
  firstProbe(): Promise<Reply> {
    return this.asked.of('first probe', () => this.probe('GET', PROBED_PATH));
  }

  /** Ends the probe and closes what was opened. */
  async close(): Promise<void> {
    const storage = await this.database.opened();
    try {
      if (this.probeHash !== undefined) await storage?.commit([], dropProbe(this.probeHash));
    } catch {
      // It ends by itself within a minute.
    } finally {
      await storage?.close();
    }
  }

  /** Why no probe can be sent. */
  async whyNoProbe(): Promise<string | undefined> {
    if ((await this.nonce()) === undefined)
      return `no probe can be sent: ${await this.database.withoutStore()}`;
    return (await this.database.mark().catch(() => undefined)) === 'foreign'
      ? 'it is not the database of serve (see mark)'
      : undefined;
  }

  private async noPublicWay(): Promise<string | undefined> {
    const without = await this.whyNoProbe();
    if (without !== undefined) return without;
    const reply = await this.firstProbe();
    return isProbeAnswer(reply) ? undefined : `serve does not answer on ${this.publicUrl} (see public-path)`;
  }
}

/** Whether a `serve` answered a probe. */
export function isProbeAnswer(reply: Reply): boolean {
  return isSuccess(reply) && reply.answered && typeof reply.json?.process === 'string';
}
