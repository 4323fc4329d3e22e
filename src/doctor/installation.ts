import type { Config } from '../config/config.ts';
import { nonceHash, PROBE_HEADER } from '../discovery/probes.ts';
import { NoDatabase, StoreUnavailable } from '../storage/errors.ts';
import { type DatabaseLook, KNOWN_SCHEMA, lookAtDatabase } from '../storage/look.ts';
import { onWholeDatabase, openStorage } from '../storage/open_storage.ts';
import { isReadable } from '../storage/sqlite/migrations/migrate.ts';
import type { Storage } from '../storage/storage.ts';
import { dropProbe, keepProbe } from '../storage/tables/probes.ts';
import type { Clock } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { DatabaseMarks } from '../vault/database_marks.ts';
import type { KeyRing } from '../vault/key_ring.ts';
import { readKeys } from '../vault/key_source.ts';
import { type KeyFit, keyFit, markOf } from './key_fit.ts';
import type { PublicView } from './public_view.ts';
import type { SynapseFile } from './synapse_file.ts';
import { isSuccess, type Reply, type Web } from './web.ts';

/** An own route that needs neither homeserver nor store for a probe. */
export const PROBED_PATH = '/_matrix/client/versions';

/** How the database answered when it was looked at. */
export type Database =
  /** `storage` where this version can work on its schema as it is. */
  | { readonly is: 'there'; readonly look: DatabaseLook; readonly storage: Storage | undefined }
  | { readonly is: 'missing' }
  | { readonly is: 'away'; readonly why: string };

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
  private readonly asked = new Map<string, Promise<unknown>>();
  private probeHash: string | undefined;

  constructor(readonly parts: InstallationParts) {}

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

  /** @throws KeyFileError */
  keyRing(): Promise<KeyRing> {
    return this.once('keys', () => readKeys(this.config.keys.source));
  }

  /** @throws KeyFileError */
  async marks(): Promise<DatabaseMarks> {
    const ring = await this.keyRing();
    return new DatabaseMarks(this.config.keys, () => ring);
  }

  /** How far the keys fit, also before a migration; undefined without a database. @throws KeyFileError */
  keyFit(): Promise<KeyFit | undefined> {
    return this.once('key fit', async () => {
      const { config, clock, random } = this.parts;
      const ring = await this.keyRing();
      const database = await this.database();
      if (database.is !== 'there') return undefined;
      const { storage, look } = database;
      const schema = look.schema.version;
      if (storage !== undefined) return keyFit({ schema, read: storage.read }, ring, random);
      if (!isOlder(look)) return undefined;
      return onWholeDatabase(config.storage, { access: 'read', clock }, ({ write: read }) =>
        keyFit({ schema, read }, ring, random),
      );
    });
  }

  /** Which database it is; undefined without a store. @throws KeyFileError */
  async mark(): Promise<Awaited<ReturnType<typeof markOf>> | undefined> {
    const storage = await this.storage();
    return storage && markOf(storage, await this.marks());
  }

  /** The database as it is. It is opened only where nothing is to be migrated: that is for `serve` to do. */
  database(): Promise<Database> {
    return this.once('database', async () => {
      try {
        const { config, clock } = this.parts;
        const look = await lookAtDatabase(config.storage, clock);
        if (isOlder(look) || !isReadable(look.schema)) return { is: 'there', look, storage: undefined };
        return {
          is: 'there',
          look,
          storage: await openStorage(config.storage, { ...this.parts, make: false }),
        };
      } catch (error) {
        return error instanceof NoDatabase ? { is: 'missing' } : { is: 'away', why: reasonOf(error) };
      }
    });
  }

  /** The open store, if there is one. */
  async storage(): Promise<Storage | undefined> {
    const database = await this.database();
    return database.is === 'there' ? database.storage : undefined;
  }

  /** Why nothing can be read from the store, for checks that have to be skipped. */
  async withoutStore(): Promise<string> {
    const database = await this.database();
    if (database.is === 'missing') return 'there is no database yet';
    if (database.is === 'away') return 'the database does not answer (see store)';
    return 'the database has another schema than this version (see schema)';
  }

  /** What the homeserver answers to a request that needs no account. */
  homeserver(target: string): Promise<Reply> {
    return this.once(`homeserver ${target}`, () => this.web.ask(this.config.homeserver.url, { target }));
  }

  /** Whether the homeserver answers at all. */
  async homeserverAnswers(): Promise<boolean> {
    const reply = await this.homeserver('/_matrix/client/versions');
    return reply.answered && reply.status < 500;
  }

  /** A nonce for probes, kept in the store; undefined while that is not possible. */
  nonce(): Promise<string | undefined> {
    return this.once('nonce', async () => {
      const storage = await this.storage();
      if (storage === undefined) return undefined;
      const nonce = randomId(this.parts.random);
      try {
        await storage.commit([], keepProbe(nonceHash(nonce)));
        this.probeHash = nonceHash(nonce);
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
    return this.once('first probe', () => this.probe('GET', PROBED_PATH));
  }

  /** Ends the probe and closes what was opened. */
  async close(): Promise<void> {
    const storage = await this.storage();
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
    if ((await this.nonce()) === undefined) return `no probe can be sent: ${await this.withoutStore()}`;
    return (await this.mark().catch(() => undefined)) === 'foreign'
      ? 'it is not the database of serve (see mark)'
      : undefined;
  }

  private async noPublicWay(): Promise<string | undefined> {
    const without = await this.whyNoProbe();
    if (without !== undefined) return without;
    const reply = await this.firstProbe();
    return isProbeAnswer(reply) ? undefined : `serve does not answer on ${this.publicUrl} (see public-path)`;
  }

  private once<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const known = this.asked.get(name) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const asked = ask();
    this.asked.set(name, asked);
    return asked;
  }
}

/** Whether the database waits for a migration. */
function isOlder({ schema: { version } }: DatabaseLook): boolean {
  return version !== 0 && version < KNOWN_SCHEMA;
}

/** Whether a `serve` answered a probe. */
export function isProbeAnswer(reply: Reply): boolean {
  return isSuccess(reply) && reply.answered && typeof reply.json?.process === 'string';
}

function reasonOf(error: unknown): string {
  if (error instanceof StoreUnavailable) return error.reason;
  return (error as Error).message;
}
