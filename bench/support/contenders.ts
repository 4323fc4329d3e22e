import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';
import { startNginx } from './nginx.ts';
import { spawnPinned, startPinned, stopProcess } from './pinned.ts';
import type { Contender } from './rates.ts';

/** A proxy that takes part, running on one core with one thread for its work. */
export interface NamedContender extends Contender {
  readonly name: string;
  stop(): Promise<void>;
}

/** Node 24 beside the one that runs this: `npm install --prefix .cache/node24 node@24`. */
export const NODE_24 = resolve('.cache/node24/node_modules/.bin/node');

/**
 * Starts all that are there, each before the same upstream; says which are not.
 * @param folder for their configurations; has to exist
 */
export async function startContenders(
  core: number,
  folder: string,
  upstream: number,
): Promise<NamedContender[]> {
  const place = { core, folder, upstream };
  const all: NamedContender[] = [
    { name: 'nginx', ...(await startNginx(core, folder, ...nginxParts(upstream))) },
  ];
  if (isThere('haproxy', '-v')) all.push(await startHaproxy(place));
  if (isThere('caddy', 'version')) all.push(await startCaddy(place));
  all.push(await startOfOurs('bare undici', 'bare_proxy.ts', place, process.execPath));
  all.push(await startOfOurs('ours', 'bench_proxy.ts', place, process.execPath));
  if (existsSync(NODE_24)) {
    all.push(await startOfOurs('bare undici, Node 24', 'bare_proxy.ts', place, NODE_24));
    all.push(await startOfOurs('ours, Node 24', 'bench_proxy.ts', place, NODE_24));
  } else console.log('Node 24 is left out: npm install --prefix .cache/node24 node@24');
  return all;
}

interface Place {
  readonly core: number;
  readonly folder: string;
  readonly upstream: number;
}

function isThere(program: string, word: string): boolean {
  const found = spawnSync(program, [word], { env: withSystemPrograms() }).status === 0;
  if (!found) console.log(`${program} is left out: apt-get install ${program}`);
  return found;
}

/** Where not all users have `/usr/sbin` in their path. */
function withSystemPrograms(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
}

function nginxParts(port: number): [upstreams: string, location: string] {
  return [
    `upstream homeserver { server 127.0.0.1:${port}; keepalive 128; keepalive_requests 1000000000; }
     client_max_body_size 0; proxy_request_buffering off; proxy_buffering off;`,
    `proxy_pass http://homeserver;
     proxy_http_version 1.1;
     proxy_read_timeout 900s;
     proxy_set_header Connection "";
     proxy_set_header Host $http_host;
     proxy_set_header X-Forwarded-For $remote_addr;
     proxy_set_header X-Forwarded-Proto $scheme;`,
  ];
}

async function startHaproxy(place: Place): Promise<NamedContender> {
  const port = await freePort();
  const file = join(place.folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 15m
  timeout server 15m
frontend clients
  bind 127.0.0.1:${port}
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http
  default_backend homeserver
backend homeserver
  http-reuse safe
  server homeserver 127.0.0.1:${place.upstream}
`,
  );
  return startProgram('HAProxy', port, place, ['haproxy', '-q', '-db', '-f', file]);
}

async function startCaddy(place: Place): Promise<NamedContender> {
  const port = await freePort();
  const file = join(place.folder, 'Caddyfile');
  writeFileSync(
    file,
    `{
  admin off
  auto_https off
  log {
    level ERROR
  }
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${place.upstream}
}
`,
  );
  return startProgram('Caddy', port, place, [
    ...['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
  ]);
}

async function startProgram(
  name: string,
  port: number,
  { core, folder }: Place,
  command: readonly string[],
): Promise<NamedContender> {
  const env = { ...withSystemPrograms(), GOMAXPROCS: '1', HOME: folder, XDG_DATA_HOME: folder };
  const child = spawnPinned(core, command, env);
  await untilItListens(child, port);
  return { name, port, pid: child.pid ?? 0, stop: () => stopProcess(child) };
}

async function startOfOurs(
  name: string,
  script: string,
  { core, upstream }: Place,
  node: string,
): Promise<NamedContender> {
  const file = fileURLToPath(new URL(`./${script}`, import.meta.url));
  const started = await startPinned(core, file, [`http://127.0.0.1:${upstream}`, 'gated'], node);
  return { name, port: Number(started.firstLine), pid: started.pid, stop: started.stop };
}
