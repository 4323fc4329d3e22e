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
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';
import { until } from './until.ts';

const REPLICA_HEADER = 'x-replica';

export interface Balancer {
  readonly url: string;
  /** Resolves once the replica on this port gets requests. */
  uses(replica: number): Promise<void>;
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

/** Resolves once all replicas answer through it. The client's own `X-Forwarded-For` is passed on. */
export async function startHaproxy(program: string, replicas: readonly number[]): Promise<Balancer> {
  const folder = mkdtempSync(join(tmpdir(), 'haproxy-'));
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, configuration(port, replicas));
  const child = spawn(program, ['-db', '-f', file], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await untilItListens(child, port);
  const uses = (replica: number) =>
    until(
      async () => (await answeredBy(url)) === nameOf(replica),
      () => `the replica on ${replica} answers nothing through HAProxy`,
    );
  for (const replica of replicas) await uses(replica);
  return {
    url,
    uses,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const nameOf = (replica: number) => `s${replica}`;

function configuration(port: number, replicas: readonly number[]): string {
  const servers = replicas.map(
    (replica) => `    server ${nameOf(replica)} 127.0.0.1:${replica} check inter 200ms`,
  );
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
    http-response set-header ${REPLICA_HEADER} %s
${servers.join('\n')}
`;
}

/** The name of the replica that a request came to; undefined if to none that is ready. */
async function answeredBy(url: string): Promise<string | undefined> {
  try {
    const { ok, headers } = await fetch(`${url}/_2fa/ready`);
    return ok ? (headers.get(REPLICA_HEADER) ?? undefined) : undefined;
  } catch {
    return undefined;
  }
}
