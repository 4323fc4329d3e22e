import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile } from '../../src/vault/key_ring.ts';
import { freePort } from '../../tools/free_port.ts';
import { untilItListens } from '../../tools/own_listener.ts';
import { cpuMs } from './cpu_time.ts';
import { spawnPinned, stopProcess } from './pinned.ts';
import type { Contender } from './rates.ts';

/** As in `deploy/systemd/` and `deploy/docker/`. */
const OF_THE_SERVICE = '--max-semi-space-size=4';

/** A configuration on disk that several processes can share. */
export interface Installation {
  readonly folder: string;
  readonly homeserver: string;
  /** As it stands in the configuration; a database of SQLite in the folder where it is left out. */
  readonly storage?: string;
}

/** The program as it is shipped, running. */
export interface RunningProgram extends Contender {
  readonly url: string;
  /** From its start until it listened. */
  readonly startMs: number;
  /** The CPU time of that: other load on the machine blurs it less. */
  readonly startCpuMs: number;
  stop(): Promise<void>;
}

/** Makes the folder and its keys. */
export function install({ folder }: Installation): void {
  mkdirSync(folder, { recursive: true });
  createKeyFile(keysOf(folder), systemRandom, systemClock);
}

export function keysOf(folder: string): string {
  return join(folder, 'keys.json');
}

/** Starts `serve` on one core; limits by address are far away, as all the load comes from one. */
export async function startProgram(
  core: number,
  { folder, homeserver, storage = '{ type: sqlite, path: 2fa.db }' }: Installation,
): Promise<RunningProgram> {
  const port = await freePort();
  const file = join(folder, `config-${port}.yaml`);
  writeFileSync(
    file,
    [
      `listen: 127.0.0.1:${port}`,
      'public_base_url: https://matrix.example.org',
      `homeserver: { url: ${homeserver} }`,
      `storage: ${storage}`,
      'keys: { file: keys.json }',
      'log: { level: error }',
      'limits: { per_address: { per_second: 1000000, burst_count: 1000000 } }',
    ].join('\n'),
  );
  const begun = performance.now();
  const command = [process.execPath, resolve('dist/cli/main.js'), 'serve', '--config', file];
  const child = spawnPinned(core, command, { ...process.env, NODE_OPTIONS: OF_THE_SERVICE });
  if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', () => undefined);
  await untilItListens(child, port);
  const startMs = performance.now() - begun;
  const pid = child.pid ?? 0;
  const stop = () => stopProcess(child);
  return { port, pid, url: `http://127.0.0.1:${port}`, startMs, startCpuMs: cpuMs(pid), stop };
}
