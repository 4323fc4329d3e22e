/**
 * The real application in front of a stub homeserver, as the HTTP tests use it:
 *
 *     const app = await startApp({ users: [{ name: 'bob', password: 'pw' }] });
 *     const bob = await app.enrol('bob');          2FA on, through the store; no request is made
 *     await app.post('/_matrix/client/v3/login', passwordLogin('bob', 'pw'))
 *     app.code(bob)                                 a code that is valid now and was not used
 *     await app.stop()
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { createProxy, type MatrixProxy, type ProxyParts } from '../../src/server/proxy.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { systemClock } from '../../src/system/clock.ts';
import { type Log, silentLog } from '../../src/system/log.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing, rotateKeyFile } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { codeAt, type Enrolled, enrol, wrongCode } from './enrolment.ts';
import { call, type HttpAnswer, type HttpCall } from './http.ts';
import { ManualClock } from './manual_clock.ts';
import { makeSqliteDatabase } from './newest_schema.ts';
import { withRoundsOnRequest } from './services.ts';
import { type StubHomeserver, type StubOptions, startStub } from './stub/stub.ts';

export interface AppOptions extends StubOptions {
  /** YAML added to the configuration, e.g. `login: { hold_ttl: 1m }`. */
  readonly config?: string;
  /** The token of our own registration as an application service; the stub has to know it, too. */
  readonly ownToken?: string;
  readonly log?: Log;
  readonly times?: ProxyParts['times'];
  readonly factors?: ProxyParts['factors'];
  /** The `storage` section, in YAML; an SQLite file without it. */
  readonly storage?: string;
}

/** Starts a stub and the application before it, both on free loopback ports. */
export async function startApp(options: AppOptions = {}): Promise<TestApp> {
  const clock = new ManualClock(Date.now());
  const stub = await startStub({ clock, ...options });
  const directory = mkdtempSync(join(tmpdir(), 'matrix-2fa-test-'));
  createKeyFile(join(directory, 'keys.json'), systemRandom, systemClock);
  const app = new TestApp(stub, clock, directory, options);
  try {
    if (options.storage === undefined) await makeSqliteDatabase(join(directory, '2fa.db'));
    await app.start();
  } catch (error) {
    // What still listens keeps jest from ending.
    await stub.stop();
    throw error;
  }
  return app;
}

export class TestApp {
  url = '';
  /** What the process has lived, in ms, as account recovery measures it: `live` makes it go on. */
  lived = { ms: 0 };
  #proxy: MatrixProxy | undefined;
  readonly #others: TestApp[] = [];

  constructor(
    readonly stub: StubHomeserver,
    readonly clock: ManualClock,
    readonly directory: string,
    private readonly options: AppOptions,
  ) {}

  get proxy(): MatrixProxy {
    if (this.#proxy === undefined) throw new Error('the application is not running');
    return this.#proxy;
  }

  get isOnPostgres(): boolean {
    return this.options.storage?.includes('postgres') === true;
  }

  get storage(): Storage {
    return this.proxy.storage;
  }

  /** Starts the application, after `shutDown` on the same data. */
  async start(): Promise<void> {
    const file = join(this.directory, 'config.yaml');
    const { ownToken } = this.options;
    const own = ownToken === undefined ? '' : ', appservice: { file: appservice.yaml }';
    if (ownToken !== undefined) {
      writeFileSync(join(this.directory, 'appservice.yaml'), `as_token: ${ownToken}\n`, { mode: 0o600 });
    }
    writeFileSync(
      file,
      [
        'listen: 127.0.0.1:0',
        'public_base_url: https://matrix.example.org',
        `homeserver: { url: ${this.stub.url}${own} }`,
        `storage: ${this.options.storage ?? '{ type: sqlite, path: 2fa.db }'}`,
        'keys: { file: keys.json }',
        this.options.config ?? '',
      ].join('\n'),
    );
    const config = loadConfig(file, {});
    const log = this.options.log ?? silentLog;
    const { times = {}, factors = [] } = this.options;
    const parts = {
      clock: this.clock,
      ticks: () => this.lived.ms,
      random: systemRandom,
      log,
      times,
      factors,
    };
    this.#proxy = withRoundsOnRequest(await createProxy(config, parts));
    this.url = await this.#proxy.listen();
  }

  /** As `serve` does: the homeserver is asked who its support is. */
  findContact(): void {
    this.#proxy?.findContact();
  }

  /**
   * Starts the application once more on the same data, as a second process does. It ends with this one.
   * @param config in the place of this one's
   * @param clock the same
   */
  async startAnother(config = this.options.config, clock = this.clock): Promise<TestApp> {
    const options = config === undefined ? this.options : { ...this.options, config };
    const other = new TestApp(this.stub, clock, this.directory, options);
    other.lived = this.lived;
    await other.start();
    this.#others.push(other);
    return other;
  }

  /** Time goes by: the clock says so, and the process has lived it. */
  live(ms: number): void {
    this.clock.advance(ms);
    this.lived.ms += ms;
  }

  /** Adds a key that is active from now on, as `keys rotate` does. */
  rotateKeys(): void {
    rotateKeyFile(join(this.directory, 'keys.json'), systemRandom, this.clock);
  }

  /** Ends the application, which waits so long for logins that the stub has yet to answer; stub and data stay. */
  async shutDown(loginsMs = 0): Promise<void> {
    for (const other of this.#others.splice(0)) await other.shutDown();
    await this.#proxy?.close(0, loginsMs);
    this.#proxy = undefined;
  }

  async stop(): Promise<void> {
    await this.shutDown();
    await this.stub.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Turns 2FA on for a user of the stub. */
  enrol(name: string, recoveryCodes = 3): Promise<Enrolled> {
    const vault = new SealingVault(loadKeyRing(join(this.directory, 'keys.json')), systemRandom);
    const parts = { store: this.storage.factors, vault, clock: this.clock };
    return enrol(parts, `@${name}:${this.stub.serverName}`, { recoveryCodes });
  }

  /** The code that the authenticator shows `steps` steps from now. */
  code(enrolled: Enrolled, steps = 0): string {
    return codeAt(enrolled.seed, this.clock.now(), steps);
  }

  /** A code that is not right and was never. */
  wrongCode(enrolled: Enrolled): string {
    return wrongCode(enrolled.seed, this.clock.now());
  }

  call(what: HttpCall): Promise<HttpAnswer> {
    return call(this.url, what);
  }

  post(target: string, json: JsonObject, token?: string): Promise<HttpAnswer> {
    return this.call({ method: 'POST', target, json, ...(token === undefined ? {} : { token }) });
  }
}

export const LOGIN = '/_matrix/client/v3/login';

/** The body of a password login. */
export function passwordLogin(name: string, password: string, more: JsonObject = {}): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user: name }, password, ...more };
}
