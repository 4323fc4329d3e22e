import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';

const NGINX = process.env.NGINX ?? '/usr/sbin/nginx';

/** An nginx of one process, serving on loopback. */
export interface RunningNginx {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export function isNginxInstalled(): boolean {
  return spawnSync(NGINX, ['-v'], { stdio: 'ignore' }).status === 0;
}

/**
 * Starts nginx on one core.
 *
 * @param folder for its configuration and temporary files; has to exist
 * @param upstreams directives of the `http` block before the server
 * @param location directives of its only location
 */
export async function startNginx(
  core: number,
  folder: string,
  upstreams: string,
  location: string,
): Promise<RunningNginx> {
  const port = await freePort();
  const file = join(folder, `nginx-${port}.conf`);
  writeFileSync(file, configuration(folder, port, upstreams, location));
  const child = spawn('taskset', ['-c', String(core), NGINX, '-p', folder, '-c', file], { stdio: 'inherit' });
  await untilItListens(child, port);
  return {
    port,
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function configuration(folder: string, port: number, upstreams: string, location: string): string {
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `
    daemon off;
    master_process off;
    worker_processes 1;
    error_log ${folder}/error.log;
    pid ${folder}/nginx-${port}.pid;
    events { worker_connections 16384; }
    http {
      access_log off;
      keepalive_requests 1000000000;
      ${scratch.join(' ')}
      ${upstreams}
      server {
        listen 127.0.0.1:${port};
        location / { ${location} }
      }
    }`;
}
