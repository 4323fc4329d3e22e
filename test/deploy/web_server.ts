/**
 * The shipped configuration of a web server, run on free loopback ports: only ports, addresses and the certificate are
 * replaced.
 *
 *     const server = await startWebServer('nginx', 'full', { proxy: 8010, homeserver: 8008 });
 *     server.clients        https://127.0.0.1:port, for what stands behind port 443
 *     await server.stop();
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Topology } from '../../src/cli/web_server_lists.ts';
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';
import { makeCertificate } from '../support/certificate.ts';

export const SHIPPED = {
  nginx: (topology: Topology) => `deploy/nginx/${topology}.conf`,
  haproxy: (topology: Topology) => `deploy/haproxy/${topology}.cfg`,
  caddy: (topology: Topology) => `deploy/caddy/${topology}.Caddyfile`,
} as const;

export type TestedServer = keyof typeof SHIPPED;

export const SERVERS = Object.keys(SHIPPED) as TestedServer[];
export const TOPOLOGIES: readonly Topology[] = ['full', 'selective'];

/** What stands behind the web server. */
export interface Behind {
  readonly proxy: number;
  readonly homeserver: number;
}

export interface RunningWebServer {
  readonly clients: string;
  readonly federation: string;
  /** Behind port 80. */
  readonly plain: string;
  stop(): Promise<void>;
}

interface Place extends Behind {
  readonly folder: string;
  readonly ports: { readonly plain: number; readonly clients: number; readonly federation: number };
}

/** Whether the program is there; says so if not (with CI=true it fails). */
export function hasWebServer(server: TestedServer): boolean {
  if (programOf(server) !== undefined) return true;
  if (process.env.CI === 'true') throw new Error(`${server} is missing: apt-get install ${server}`);
  console.warn(`skipped, as ${server} is missing: apt-get install ${server}`);
  return false;
}

/** The program, also where `/usr/sbin` is not in the path. */
function programOf(server: TestedServer): string | undefined {
  const words = [server === 'caddy' ? 'version' : '-v'];
  return [server, `/usr/sbin/${server}`].find((program) => spawnSync(program, words).status === 0);
}

/** @param change what an operator changes in the shipped file */
export async function startWebServer(
  server: TestedServer,
  topology: Topology,
  behind: Behind,
  change: (shipped: string) => string = (shipped) => shipped,
): Promise<RunningWebServer> {
  const folder = mkdtempSync(join(tmpdir(), `${server}-`));
  const ports = { plain: await freePort(), clients: await freePort(), federation: await freePort() };
  makeCertificate(folder, 'matrix.example.org');
  const shipped = change(readFileSync(SHIPPED[server](topology), 'utf8'));
  const child = START[server](shipped, { ...behind, folder, ports });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => said.push(String(chunk)));
  await untilItListens(child, ports.clients, () => said.join(''));
  return {
    clients: `https://127.0.0.1:${ports.clients}`,
    federation: `https://127.0.0.1:${ports.federation}`,
    plain: `http://127.0.0.1:${ports.plain}`,
    stop: async () => {
      const ended = once(child, 'exit');
      // Caddy would wait for its clients, and leaves nothing behind that it would have to end.
      child.kill(server === 'caddy' ? 'SIGKILL' : 'SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Writes the configuration for this place and starts the program in the foreground. */
const START: Readonly<Record<TestedServer, (shipped: string, place: Place) => ChildProcess>> = {
  nginx: (shipped, place) => {
    const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (kind) => `${kind}_temp_path ${place.folder}/${kind};`,
    );
    const text = placed(shipped, place)
      .replaceAll(/^( *listen )(\d+)/gm, (_, head, port) => `${head}127.0.0.1:${standIn(port, place)}`)
      .replaceAll(/ssl_certificate .+;/g, `ssl_certificate ${place.folder}/both.pem;`)
      .replaceAll(/ssl_certificate_key .+;/g, `ssl_certificate_key ${place.folder}/both.pem;`);
    const file = join(place.folder, 'nginx.conf');
    writeFileSync(
      file,
      `daemon off; worker_processes 1; error_log stderr; pid ${place.folder}/pid; events {}
       http { access_log off; ${scratch.join(' ')}\n${text}\n}`,
    );
    return spawn(programOf('nginx') ?? 'nginx', ['-p', place.folder, '-e', 'stderr', '-c', file]);
  },
  haproxy: (shipped, place) => {
    const text = placed(shipped, place)
      .replaceAll(/bind :(\d+)/g, (_, port) => `bind 127.0.0.1:${standIn(port, place)}`)
      .replaceAll(/crt \S+/g, `crt ${place.folder}/both.pem`);
    const file = join(place.folder, 'haproxy.cfg');
    writeFileSync(file, text);
    return spawn(programOf('haproxy') ?? 'haproxy', ['-W', '-f', file]);
  },
  caddy: (shipped, place) => {
    const certificate = `    tls ${place.folder}/both.pem ${place.folder}/both.pem\n`;
    const text = placed(shipped, place).replaceAll(
      /^([\d.]+|matrix\.example\.org)(?::(\d+))? \{\n/gm,
      (_, host, port = '443') => `https://${host}:${standIn(port, place)} {\n${certificate}`,
    );
    const { plain } = place.ports;
    const file = join(place.folder, 'Caddyfile');
    writeFileSync(
      file,
      text.replace(/^\{\n/m, `{\n    admin off\n    default_bind 127.0.0.1\n    http_port ${plain}\n`),
    );
    const environment = { ...process.env, HOME: place.folder, XDG_DATA_HOME: place.folder };
    return spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', file], { env: environment });
  },
};

function placed(shipped: string, { proxy, homeserver }: Place): string {
  return shipped
    .replaceAll('127.0.0.1:8010', `127.0.0.1:${proxy}`)
    .replaceAll('127.0.0.1:8008', `127.0.0.1:${homeserver}`);
}

function standIn(port: string, { ports }: Place): number {
  const known: Readonly<Record<string, number>> = {
    80: ports.plain,
    443: ports.clients,
    8448: ports.federation,
  };
  const found = known[port];
  if (found === undefined) throw new Error(`no port of the test stands for ${port}`);
  return found;
}
