import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../src/config/load.ts';
import { createProxy, type MatrixProxy } from '../../../src/server/proxy.ts';
import { openStorage } from '../../../src/storage/open_storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../../src/vault/key_ring.ts';
import { SealingVault } from '../../../src/vault/sealing_vault.ts';
import { freePort } from '../../../tools/free_port.ts';
import {
  type HookReceiver,
  type MailReceiver,
  startHookReceiver,
  startMailReceiver,
} from '../../notify/receivers.ts';
import { type Enrolled, enrol } from '../../support/enrolment.ts';
import { ManualClock } from '../../support/manual_clock.ts';
import { preloaded, ServeProcess } from '../../support/serve_process.ts';
import { type StubHomeserver, startStub } from '../../support/stub/stub.ts';
import { PASSWORD } from '../scene.ts';
import type { Ground } from './ground.ts';

const HOOK_SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export interface People {
  readonly owners: number;
  readonly recoveryCodes: number;
  readonly guests: number;
  /** Who will turn two-factor authentication on. */
  readonly newcomers: number;
}

/** `serve` before a stub homeserver, with a mail server and a webhook, on a database to which anything may happen. */
export class World {
  serve!: ServeProcess;
  mail!: MailReceiver;
  hook!: HookReceiver;
  owners: readonly Enrolled[] = [];
  /** How far the clock of `serve` is off, in ms. */
  clockOffMs = 0;
  /** How far that clock was behind since the auditor looked: what ended then bears a time that is so much too early. */
  wasBehindMs = 0;
  /** Tokens that the homeserver granted in answers that it did not bring to their end: nobody can know them. */
  readonly lostGrants = new Set<string>();
  private logs = '';
  private isAway = false;

  private constructor(
    readonly stub: StubHomeserver,
    readonly ground: Ground,
    private readonly folder: string,
    private readonly port: number,
  ) {}

  static async start(ground: Ground, people: People): Promise<World> {
    const named = (name: string, count: number) =>
      Array.from({ length: count }, (_, number) => `${name}${number}`);
    const names = ['owner', 'guest', 'newcomer'] as const;
    const counts = [people.owners, people.guests, people.newcomers];
    const users = names
      .flatMap((name, at) => named(name, counts[at] ?? 0))
      .map((name) => ({ name, password: PASSWORD, emails: [`${name}@example.org`] }));
    const folder = mkdtempSync(join(tmpdir(), 'storm-'));
    const world = new World(await startStub({ users }), ground, folder, await freePort());
    world.mail = await startMailReceiver();
    world.hook = await startHookReceiver();
    world.writeFiles();
    world.owners = await world.enrolAll(named('owner', people.owners), people.recoveryCodes);
    await world.begin();
    return world;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get keyFile(): string {
    return this.file('keys.json');
  }

  private file(name: string): string {
    return join(this.folder, name);
  }

  /** The configuration for commands and for the auditor, past what stands before the database. */
  get directConfig(): string {
    return this.file('direct.yaml');
  }

  private writeFiles(): void {
    createKeyFile(this.keyFile, systemRandom, systemClock);
    writeFileSync(this.file('hook.secret'), HOOK_SECRET, { mode: 0o600 });
    writeFileSync(this.file('clock'), '0');
    this.writeConfig('optional');
  }

  /** @param policy what is asked of those of whom nothing else is said */
  writeConfig(policy: string): void {
    const mail = `{ from: 2fa@example.org, host: 127.0.0.1, port: ${this.mail.port}, security: none }`;
    const webhook = `{ url: "${this.hook.url}", secret_file: hook.secret }`;
    for (const [name, storage] of [
      ['config.yaml', this.ground.section],
      ['direct.yaml', this.ground.directSection],
    ] as const) {
      const lines = [
        `listen: 127.0.0.1:${this.port}`,
        'public_base_url: https://matrix.example.org',
        `homeserver: { url: ${this.stub.url} }`,
        `storage: ${storage}`,
        'keys: { file: keys.json }',
        'trusted_proxies: [127.0.0.1]',
        'login: { hold_ttl: 2m }',
        'oauth: { enabled: true }',
        'account_recovery: { enabled: true }',
        `policy: { default: ${policy}, grace: 30d, administrators: { detect: false } }`,
        `notify: { retry_first: 1s, mail: ${mail}, webhook: ${webhook} }`,
        'log: { level: warn }',
      ];
      const draft = this.file(`${name}.draft`);
      writeFileSync(draft, lines.join('\n'));
      renameSync(draft, this.file(name));
    }
  }

  private async enrolAll(names: readonly string[], recoveryCodes: number): Promise<Enrolled[]> {
    const vault = new SealingVault(loadKeyRing(this.keyFile), systemRandom);
    return this.withStorage(async (storage) => {
      const parts = { store: storage.factors, vault, clock: systemClock };
      const enrolled: Enrolled[] = [];
      for (const name of names)
        enrolled.push(await enrol(parts, `@${name}:${this.stub.serverName}`, { recoveryCodes }));
      return enrolled;
    }, true);
  }

  /** Looks into the database. */
  async withStorage<T>(look: (storage: Storage) => Promise<T>, make = false): Promise<T> {
    const { storage: settings } = loadConfig(this.directConfig, {});
    const storage = await openStorage(settings, { clock: systemClock, random: systemRandom, make });
    try {
      return await look(storage);
    } finally {
      await storage.close();
    }
  }

  async begin(): Promise<void> {
    this.serve = await ServeProcess.start(this.file('config.yaml'), {
      preload: [preloaded('shifted_clock', { file: this.file('clock') })],
    });
    this.isAway = false;
  }

  /** Kill -9. */
  async kill(): Promise<void> {
    this.isAway = true;
    await this.serve.kill();
    this.keepLog();
  }

  /** SIGTERM. @throws if it did not end well */
  async stop(): Promise<void> {
    this.isAway = true;
    await this.serve.stop();
    this.keepLog();
  }

  private keepLog(): void {
    this.logs += this.serve.log;
  }

  get log(): string {
    return this.isAway ? this.logs : this.logs + this.serve.log;
  }

  /** Whether it has ended without being told to. */
  get hasEnded(): boolean {
    const { exitCode, signalCode } = this.serve.child;
    return !this.isAway && (exitCode !== null || signalCode !== null);
  }

  residentMib(): number {
    const status = readFileSync(`/proc/${this.serve.child.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  }

  /** The clock of `serve` jumps. */
  setClock(offMs: number): void {
    this.clockOffMs = offMs;
    this.wasBehindMs = Math.max(this.wasBehindMs, -offMs);
    writeFileSync(this.file('clock'), String(offMs));
    this.serve.child.kill('SIGUSR2');
  }

  async stopMail(): Promise<void> {
    await this.mail.stop();
  }

  /** On the same port, with the mails that it had. */
  async startMail(): Promise<void> {
    const { mails, port } = this.mail;
    this.mail = await startMailReceiver({}, port);
    this.mail.mails.push(...mails);
  }

  /** `serve` is over; another process on the same data, at a time so much later, does what is due. */
  async later<T>(ms: number, look: (proxy: MatrixProxy, clock: ManualClock) => Promise<T>): Promise<T> {
    const clock = new ManualClock(Date.now() + ms);
    const proxy = await createProxy(loadConfig(this.directConfig, {}), { clock });
    try {
      return await look(proxy, clock);
    } finally {
      await proxy.close(0);
    }
  }

  async end(): Promise<void> {
    if (!this.isAway && !this.hasEnded) await this.kill();
    await Promise.all([this.stub.stop(), this.mail.stop(), this.hook.stop()]);
    await this.ground.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
