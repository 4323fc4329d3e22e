/**
 * The real application in front of a real Synapse, with a clock that tests move:
 *
 *     const app = await RealApp.start(environment);
 *     const bob = await app.enrolledUser();      2FA on, over the public API
 *     await app.login(bob, `${bob.password} ${app.code(bob)}`)
 *     await app.stop()
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScureBase32Plugin } from 'otplib';
import { loadConfig } from '../../src/config/load.ts';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';
import { createProxy, type MatrixProxy } from '../../src/server/proxy.ts';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { SECOND } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { freePort } from '../../tools/free_port.ts';
import type { SynapseEnvironment } from '../../tools/synapse/install.ts';
import { type SynapseServer, startSynapse } from '../../tools/synapse/server.ts';
import { passwordLogin } from './app.ts';
import { codeAt, wrongCode } from './enrolment.ts';
import { call, type HttpAnswer, type HttpCall } from './http.ts';
import { judgeAll } from './judged.ts';
import { ManualClock } from './manual_clock.ts';
import { withRoundsOnRequest } from './services.ts';

export interface RealUser {
  readonly name: string;
  readonly userId: string;
  readonly password: string;
}

/** A user who is signed in. */
export interface SignedIn extends RealUser {
  readonly token: string;
  readonly deviceId: string;
}

/** One with 2FA on. */
export interface TwoFactorUser extends SignedIn {
  readonly seed: Buffer;
  readonly authenticatorId: string;
  readonly recoveryCodes: readonly string[];
}

const base32 = new ScureBase32Plugin();
const STEP_MS = 30 * SECOND;

export const CLIENT = '/_matrix/client/v3';
export const TOTP = `${CLIENT}/account/two-factor/totp`;
export const RECOVERY = `${CLIENT}/account/two-factor/recovery`;

export interface RealAppOptions {
  /** Further top-level settings of Synapse, for the address at which browsers find it. */
  readonly synapse?: (publicBaseUrl: string) => Readonly<Record<string, unknown>>;
  /** Whether browsers are to find both at the proxy's own address. Default: at one that is nowhere. */
  readonly reachable?: boolean;
  /** YAML added to the configuration of the proxy. */
  readonly config?: string;
  /** Our registration as an application service, which Synapse knows then. */
  readonly ownFile?: string;
}

export class RealApp {
  readonly clock = new ManualClock(Date.now());
  url = '';
  #proxy: MatrixProxy | undefined;
  #users = 0;
  #livedMs = 0;

  private constructor(
    readonly synapse: SynapseServer,
    readonly directory: string,
    private readonly publicBaseUrl: string,
  ) {}

  static async start(environment: SynapseEnvironment, options: RealAppOptions = {}): Promise<RealApp> {
    const directory = mkdtempSync(join(tmpdir(), 'matrix-2fa-real-'));
    const port = options.reachable ? await freePort() : 0;
    const publicBaseUrl = options.reachable ? `http://127.0.0.1:${port}` : 'https://matrix.example.org';
    const synapse = await startSynapse({
      environment,
      directory: join(directory, 'synapse'),
      openRegistration: true,
      ...(options.reachable ? { publicBaseUrl: `${publicBaseUrl}/` } : {}),
      extraConfig: {
        login_via_existing_session: { enabled: true, require_ui_auth: true },
        ...(options.ownFile === undefined ? {} : { app_service_config_files: [options.ownFile] }),
        ...options.synapse?.(publicBaseUrl),
      },
    });
    createKeyFile(join(directory, 'keys.json'), systemRandom, { now: () => Date.now() });
    const app = new RealApp(synapse, directory, publicBaseUrl);
    const { ownFile, config = '' } = options;
    const own = ownFile === undefined ? ' }' : `, appservice: { file: ${ownFile} } }`;
    writeFileSync(app.configFile, `${app.configText(port).replace(' }', own)}\n${config}\n`);
    await app.startProxy();
    return app;
  }

  get configFile(): string {
    return join(this.directory, 'config.yaml');
  }

  get proxy(): MatrixProxy {
    if (this.#proxy === undefined) throw new Error('the proxy is not running');
    return this.#proxy;
  }

  /** The configuration with the proxy on `port` of loopback. */
  configText(port: number): string {
    return [
      `listen: 127.0.0.1:${port}`,
      `public_base_url: ${this.publicBaseUrl}`,
      `homeserver: { url: ${this.synapse.url} }`,
      'storage: { type: sqlite, path: 2fa.db }',
      'keys: { file: keys.json }',
    ].join('\n');
  }

  async startProxy(): Promise<void> {
    const parts = { clock: this.clock, ticks: () => this.#livedMs };
    this.#proxy = withRoundsOnRequest(await createProxy(loadConfig(this.configFile, {}), parts));
    this.url = await this.#proxy.listen();
  }

  /** Time goes by, as the clock and the process see it, and what is due is done. */
  async live(ms: number): Promise<void> {
    this.clock.advance(ms);
    this.#livedMs += ms;
    await this.proxy.keepHouse();
  }

  async stopProxy(): Promise<void> {
    await this.#proxy?.close(0);
    this.#proxy = undefined;
  }

  async stop(): Promise<void> {
    await this.stopProxy();
    await this.synapse.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Through the proxy. What it answers on gated and own endpoints is judged by all schemas. */
  async call(what: HttpCall): Promise<HttpAnswer> {
    const answer = await call(this.url, what);
    const method = what.method ?? (what.json === undefined ? 'GET' : 'POST');
    const [path = ''] = what.target.split('?');
    const faults = judgeAll({ method, path, status: answer.status, body: answer.json });
    if (faults.length > 0) throw new Error(`${method} ${path} ${answer.status}: ${faults.join('; ')}`);
    return answer;
  }

  /** Past the proxy, at Synapse itself. */
  direct(what: HttpCall): Promise<HttpAnswer> {
    return call(this.synapse.url, what);
  }

  post(target: string, json: JsonObject, token?: string): Promise<HttpAnswer> {
    return this.call({ method: 'POST', target, json, ...(token === undefined ? {} : { token }) });
  }

  login(user: RealUser, password: string, more: JsonObject = {}): Promise<HttpAnswer> {
    return this.post(`${CLIENT}/login`, passwordLogin(user.name, password, more));
  }

  /** The status of `GET /account/whoami` at Synapse itself: whether a token lives. */
  async whoami(token: string): Promise<number> {
    const answer = await this.direct({ target: `${CLIENT}/account/whoami`, token });
    return answer.status;
  }

  /** The tokens of the logins that are held for a user: they stand in the store alone, sealed. */
  heldTokens(userId: string): string[] {
    const vault = new SealingVault(loadKeyRing(join(this.directory, 'keys.json')), systemRandom);
    const database = openDatabase(join(this.directory, '2fa.db'), { readonly: true });
    try {
      const holds = database
        .prepare<[string], { id: string; sealed: Buffer }>(
          'SELECT id, sealed_grant AS sealed FROM holds WHERE user_id = ?',
        )
        .all(userId);
      return holds.map(({ id, sealed }) => {
        const grant: unknown = JSON.parse(vault.open(sealed, `hold:${id}:${userId}`).toString('utf8'));
        return isJsonObject(grant) ? String(grant.accessToken) : '';
      });
    } finally {
      database.close();
    }
  }

  async user(): Promise<RealUser> {
    this.#users += 1;
    const name = `user${this.#users}`;
    const password = `correct horse ${name} staple`;
    return { name, password, userId: await this.synapse.registerUser(name, password) };
  }

  async signedInUser(): Promise<SignedIn> {
    const user = await this.user();
    return { ...user, ...signedIn(await this.login(user, user.password)) };
  }

  /** A new user who turns 2FA on over the API. */
  async enrolledUser(): Promise<TwoFactorUser> {
    const user = await this.signedInUser();
    return { ...user, ...(await turnOn(user, this.clock.now(), (...sent) => this.post(...sent))) };
  }

  /** A code that was not used: the clock is moved one step on. */
  code(user: TwoFactorUser): string {
    this.clock.advance(STEP_MS);
    return codeAt(user.seed, this.clock.now());
  }

  /** A code that is not right and was never. */
  wrongCode(user: TwoFactorUser): string {
    return wrongCode(user.seed, this.clock.now());
  }
}

type Post = (target: string, json: JsonObject, token: string) => Promise<HttpAnswer>;

/** Turns 2FA on over the API, with the code of the moment `now`. */
export async function turnOn(
  user: SignedIn,
  now: number,
  post: Post,
): Promise<Pick<TwoFactorUser, 'seed' | 'authenticatorId' | 'recoveryCodes'>> {
  const first = await post(TOTP, { name: 'phone' }, user.token);
  const auth = { ...passwordAuth(user, user.password), session: first.json.session };
  const setup = await post(TOTP, { name: 'phone', auth }, user.token);
  const seed = Buffer.from(base32.decode(String(setup.json.seed)));
  const proof = { setup_id: setup.json.setup_id, token: codeAt(seed, now) };
  const confirmed = await post(`${TOTP}/confirm`, proof, user.token);
  if (confirmed.status !== 200) throw new Error(`the enrolment failed: ${confirmed.text}`);
  const authenticatorId = String(confirmed.json.authenticator_id);
  return { seed, authenticatorId, recoveryCodes: recoveryCodesIn(confirmed) };
}

/** A one-shot password stage that names its owner. */
export function passwordAuth(user: Pick<RealUser, 'userId'>, password: string): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user: user.userId }, password };
}

/** What a login answered. */
export function signedIn(answer: HttpAnswer): { token: string; deviceId: string } {
  if (answer.status !== 200) throw new Error(`no login: ${answer.status} ${answer.text}`);
  return { token: String(answer.json.access_token), deviceId: String(answer.json.device_id) };
}

export function recoveryCodesIn(answer: HttpAnswer): string[] {
  const { recovery_codes: codes } = answer.json;
  return Array.isArray(codes) ? codes.map(String) : [];
}
