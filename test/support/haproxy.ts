/**
 * HAProxy before several `serve` processes, as an operator of replicas runs it: requests go to the replicas in turn, one
 * that does not answer its health check is left out, and only what could not be sent is sent to another one.
 *
 *     const balancer = await startHaproxy([8010, 8011]);
 *     balancer.url
 *     await balancer.stop();
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';

const STARTED_WITHIN_MS = 20_000;

export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** The program, also where `/usr/sbin` is not in the path. Undefined: not there (with CI=true that is an error). */
export function haproxyProgram(): string | undefined {
  const found = ['haproxy', '/usr/sbin/haproxy'].find((program) => spawnSync(program, ['-v']).status === 0);
  if (found !== undefined) return found;
  if (process.env.CI === 'true') throw new Error('HAProxy is missing: apt-get install haproxy');
  console.warn('skipped, as HAProxy is missing: apt-get install haproxy');
  return undefined;
}

/** Resolves once one of the replicas answers through it. The client's own `X-Forwarded-For` is passed on. */
export async function startHaproxy(program: string, replicas: readonly number[]): Promise<Balancer> {
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration(port, replicas));
  const child = spawn(program, ['-db', '-f', file], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await untilItListens(child, port);
  await untilReady(url);
  return {
    url,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function configuration(port: number, replicas: readonly number[]): string {
  const servers = replicas.map((replica) => `    server s${replica} 127.0.0.1:${replica} check inter 200ms`);
  return `
defaults
    mode http
    timeout connect 5s
    timeout client 15m
    timeout server 15m
    timeout check 5s
    retry-on conn-failure
    option redispatch 1
frontend clients
    bind 127.0.0.1:${port}
    default_backend replicas
backend replicas
    balance roundrobin
    option httpchk GET /_2fa/ready
    default-server fall 1 rise 1
${servers.join('\n')}
`;
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + STARTED_WITHIN_MS;
  while (!(await isReady(url))) {
    if (Date.now() > deadline) throw new Error('no replica answers through HAProxy');
    await pause(50);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/_2fa/ready`)).ok;
  } catch {
    return false;
  }
}
