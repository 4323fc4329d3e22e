/**
 * A right installation: a stub homeserver, the application, and nginx with TLS before it. A test breaks one thing and
 * looks what `doctor` finds.
 *
 *     const scene = await startScene();
 *     const { report } = await scene.doctor();
 *     await scene.behind((nginx) => nginx.replace(…), async () => …);   another configuration of nginx
 *     await scene.stop();
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/program.ts';
import type { Surroundings } from '../../src/cli/surroundings.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Installation } from '../../src/doctor/installation.ts';
import { examine, type Report, type Reported } from '../../src/doctor/report.ts';
import { Web } from '../../src/doctor/web.ts';
import { createProxy, type MatrixProxy } from '../../src/server/proxy.ts';
import { ask } from '../../src/storage/statement.ts';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';
import { enrol } from '../support/enrolment.ts';
import { type StubHomeserver, startStub } from '../support/stub/stub.ts';

/** What `doctor` printed, and how it ended. */
export interface Examined {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** With `--json`. */
  readonly report: Report;
}

/** Synapse's configuration as it should be. */
export const SYNAPSE = `server_name: example.org
listeners:
  - port: 8008
    x_forwarded: true
    resources: [{ names: [client, federation] }]
rc_login: { account: { per_second: 0.05, burst_count: 20 } }
`;

export interface SceneOptions {
  /** The `storage` section, in YAML. */
  readonly storage?: string;
}

export async function startScene({ storage = '{ type: sqlite, path: data/2fa.db }' }: SceneOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'doctor-'));
  const port = await freePort();
  const stub = await startStub({ clock: systemClock });
  makeCertificate(folder, 'right', 'IP:127.0.0.1', 60);
  createKeyFile(join(folder, 'data/keys.json'), systemRandom, systemClock);
  const scene = new Scene(folder, port, stub, storage);
  await scene.start();
  return scene;
}

export class Scene {
  readonly publicUrl: string;
  private app: MatrixProxy | undefined;
  private servePort = 0;
  private nginx: ChildProcess | undefined;
  private trusted: string;

  constructor(
    readonly folder: string,
    private readonly port: number,
    readonly stub: StubHomeserver,
    private readonly storage: string,
  ) {
    this.publicUrl = `https://127.0.0.1:${port}`;
    this.trusted = join(folder, 'right.pem');
  }

  get proxy(): MatrixProxy {
    if (this.app === undefined) throw new Error('the application does not run');
    return this.app;
  }

  get configFile(): string {
    return join(this.folder, 'config.yaml');
  }

  /** The ports that a web server leads to. */
  get behindWebServers(): { readonly proxy: number; readonly homeserver: number } {
    return { proxy: this.servePort, homeserver: Number(new URL(this.stub.url).port) };
  }

  /** The configuration that all is right with. */
  get config(): string {
    return [
      'listen: 127.0.0.1:0',
      `public_base_url: ${this.publicUrl}`,
      `homeserver: { url: "${this.stub.url}" }`,
      `storage: ${this.storage}`,
      'keys: { file: data/keys.json }',
      'trusted_proxies: [127.0.0.1]',
      'brand: { help_url: "https://example.org/help" }',
      // Browsers reach it by an IP address, to which passkeys are not bound.
      'webauthn: { enabled: false }',
      '',
    ].join('\n');
  }

  async start(): Promise<void> {
    writeFileSync(this.configFile, this.config);
    writeFileSync(join(this.folder, 'homeserver.yaml'), SYNAPSE);
    this.app = await createProxy(loadConfig(this.configFile, {}));
    this.servePort = Number(new URL(await this.app.listen()).port);
    const vault = new SealingVault(loadKeyRing(join(this.folder, 'data/keys.json')), systemRandom);
    await enrol({ store: this.app.storage.factors, vault, clock: systemClock }, '@bob:localhost');
    await this.app.keepHouse();
    await this.startNginx((text) => text);
  }

  /** Runs `doctor --json` on the whole, with the certificate trusted. */
  async doctor(...words: string[]): Promise<Examined> {
    await this.app?.keepHouse();
    const homeserverConfig = ['--homeserver-config', join(this.folder, 'homeserver.yaml')];
    const serverName = ['--server-name', `127.0.0.1:${this.port}`];
    return this.type('doctor', ...homeserverConfig, ...serverName, '--json', ...words);
  }

  /** Types a command. */
  async type(...words: string[]): Promise<Examined> {
    const out: string[] = [];
    const err: string[] = [];
    const surroundings: Surroundings = {
      environment: {
        MATRIX_2FA_CONFIG: this.configFile,
        NODE_EXTRA_CA_CERTS: this.trusted,
      },
      clock: systemClock,
      random: systemRandom,
      out: (...lines) => void out.push(...lines),
      csv: () => undefined,
      err: (...lines) => void err.push(...lines),
      confirm: async () => undefined,
      untilStopped: () => new Promise(() => undefined),
      dialogue: () => undefined,
      onReload: () => undefined,
      untilFault: () => new Promise(() => undefined),
    };
    const code = await run(words, surroundings);
    const text = out.join('\n');
    const report = words.includes('--json') && text.startsWith('{') ? JSON.parse(text) : undefined;
    return { code, out: text, err: err.join('\n'), report };
  }

  /** Does `work` with another configuration for `doctor`; `serve` goes on with its own. */
  async configured<T>(change: (config: string) => string, work: () => Promise<T>): Promise<T> {
    writeFileSync(this.configFile, change(this.config));
    try {
      return await work();
    } finally {
      writeFileSync(this.configFile, this.config);
    }
  }

  /** Does `work` with nginx configured in another way. */
  async behind<T>(change: (nginx: string) => string, work: () => Promise<T>): Promise<T> {
    await this.stopNginx();
    await this.startNginx(change);
    try {
      return await work();
    } finally {
      await this.stopNginx();
      await this.startNginx((text) => text);
    }
  }

  /** Does `work` with a certificate for another name or time, which is trusted like the right one. */
  async withCertificate<T>(altName: string, days: number, work: () => Promise<T>): Promise<T> {
    makeCertificate(this.folder, 'other', altName, days);
    this.trusted = join(this.folder, 'other.pem');
    try {
      return await this.behind(
        (nginx) => nginx.replace('right.pem', 'other.pem').replace('right.key', 'other.key'),
        work,
      );
    } finally {
      this.trusted = join(this.folder, 'right.pem');
    }
  }

  /** `doctor --outside`, on the same machine. */
  outside(): Promise<Examined> {
    return this.type('doctor', '--outside', this.publicUrl, '--json');
  }

  /** `doctor --slow`, with so many seconds. */
  async slowly(slowSeconds: number): Promise<Report> {
    await this.proxy.keepHouse();
    const web = new Web();
    const installation = new Installation({
      config: loadConfig(this.configFile, {}),
      configFile: this.configFile,
      secretFiles: [],
      clock: systemClock,
      random: systemRandom,
      web,
      slowSeconds,
      furtherCertificates: readFileSync(this.trusted, 'utf8'),
    });
    try {
      return await examine(installation, {});
    } finally {
      await installation.close();
      web.close();
    }
  }

  /** How many nonces the store has. */
  async probesKept(): Promise<number> {
    return (await this.proxy.storage.read(ask('SELECT nonce_hash FROM probes'))).length;
  }

  /** What must be printed nowhere. */
  secrets(): string[] {
    const ring = loadKeyRing(join(this.folder, 'data/keys.json'));
    return ring.keys.flatMap(({ secret }) => [secret.toString('base64'), secret.toString('hex')]);
  }

  async stop(): Promise<void> {
    await this.stopNginx();
    await this.app?.close(0, 0);
    await this.stub.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async startNginx(change: (text: string) => string): Promise<void> {
    const file = join(this.folder, 'nginx.conf');
    const right = nginxText({
      folder: this.folder,
      port: this.port,
      serve: this.servePort,
      homeserver: this.stub.url,
    });
    const text = change(right);
    writeFileSync(file, text);
    const child = spawn(nginxProgram(), ['-p', this.folder, '-e', 'stderr', '-c', file]);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    this.nginx = child;
    await untilItListens(child, this.port, () => said);
  }

  private async stopNginx(): Promise<void> {
    const child = this.nginx;
    this.nginx = undefined;
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
}

/** The findings alone, as `verdict id`. */
export function findings({ checks }: Report): string[] {
  return checks
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'warn')
    .map(({ id, verdict }) => `${verdict} ${id}`);
}

export function checkIn({ checks }: Report, id: string): Reported {
  const found = checks.find((check) => check.id === id);
  if (found === undefined) throw new Error(`the report has no ${id}`);
  return found;
}

/** Whether nginx is there; says so if not (with CI=true it fails). */
export function hasNginx(): boolean {
  if (spawnSync(nginxProgram(), ['-v']).status === 0) return true;
  if (process.env.CI === 'true') throw new Error('nginx is missing: apt-get install nginx-light');
  console.warn('skipped, as nginx is missing: apt-get install nginx-light');
  return false;
}

/** The program, also where `/usr/sbin` is not in the path. */
function nginxProgram(): string {
  return spawnSync('nginx', ['-v']).status === 0 ? 'nginx' : '/usr/sbin/nginx';
}

interface Place {
  readonly folder: string;
  readonly port: number;
  readonly serve: number;
  readonly homeserver: string;
}

/** As it should be: a test replaces a line, or adds a location at `# more`; `$homeserver` is the stub. */
function nginxText({ folder, port, serve, homeserver }: Place): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `daemon off; worker_processes 1; error_log stderr; pid ${folder}/pid; events {}
http {
  access_log off; ${scratch.join(' ')}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${folder}/right.pem;
    ssl_certificate_key ${folder}/right.key;
    client_max_body_size 0;
    keepalive_timeout 80s;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_request_buffering off;
    proxy_read_timeout 15m;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    set $homeserver ${homeserver};
    # more
    location ~ ^/(_matrix/|_synapse/client/|_2fa/|\\.well-known/matrix/client$) { proxy_pass http://127.0.0.1:${serve}; }
    location / { return 404; }
  }
}
`;
}

function makeCertificate(folder: string, name: string, altName: string, days: number): void {
  const files = ['-keyout', join(folder, `${name}.key`), '-out', join(folder, `${name}.pem`)];
  const names = ['-subj', '/CN=matrix.example.org', '-addext', `subjectAltName=${altName}`];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', String(days)];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, ...files], { stdio: 'ignore' });
}
