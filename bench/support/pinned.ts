import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A script of the bench running as a process of its own. */
export interface PinnedProcess {
  /** The first line that it printed. */
  readonly firstLine: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Whether processes can be pinned to a core here. */
export function canPin(): boolean {
  return spawnSync('taskset', ['-c', '0', 'true']).status === 0;
}

/** Starts a script, pinned to `core` where that can be done, and waits for its first line. */
export async function startPinned(
  core: number,
  script: string,
  args: readonly string[],
): Promise<PinnedProcess> {
  const child = spawnScript(core, script, args);
  const firstLine = await Promise.race([
    once(createInterface({ input: requireOutput(child) }), 'line').then(([line]) => String(line)),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${script} ended with ${code} before it said anything`);
    }),
  ]);
  return {
    firstLine,
    pid: child.pid ?? 0,
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    },
  };
}

/** Runs a script to its end, pinned to `core` where that can be done, and gives back the line that it printed. */
export async function runPinned(core: number, script: string, args: readonly string[]): Promise<string> {
  const child = spawnScript(core, script, args);
  const chunks: Buffer[] = [];
  requireOutput(child).on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return Buffer.concat(chunks).toString('utf8').trim();
}

function spawnScript(core: number, script: string, args: readonly string[]): ChildProcess {
  const command = [process.execPath, '--import', 'tsx', script, ...args];
  const pinned = canPin() ? ['taskset', '-c', String(core), ...command] : command;
  const [program = '', ...rest] = pinned;
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
}

function requireOutput(child: ChildProcess) {
  if (child.stdout === null) throw new Error('a bench process without an output');
  return child.stdout;
}
