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

/**
 * Starts a script, pinned to `core` where that can be done, and waits for its first line.
 * @param node another version of Node to run it with
 */
export async function startPinned(
  core: number,
  script: string,
  args: readonly string[],
  node = process.execPath,
): Promise<PinnedProcess> {
  const child = spawnScript(core, script, args, node);
  const firstLine = await Promise.race([
    once(createInterface({ input: requireOutput(child) }), 'line').then(([line]) => String(line)),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${script} ended with ${code} before it said anything`);
    }),
  ]);
  return {
    firstLine,
    pid: child.pid ?? 0,
    stop: () => stopProcess(child),
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

function spawnScript(
  core: number,
  script: string,
  args: readonly string[],
  node = process.execPath,
): ChildProcess {
  return spawnPinned(core, [node, '--import', 'tsx', script, ...args]);
}

/** Starts any program, pinned to `core` where that can be done. */
export function spawnPinned(core: number, command: readonly string[], env = process.env): ChildProcess {
  const [program = '', ...rest] = canPin() ? ['taskset', '-c', String(core), ...command] : command;
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'], env });
}

/** Ends a program, unless it has ended. */
export async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

function requireOutput(child: ChildProcess) {
  if (child.stdout === null) throw new Error('a bench process without an output');
  return child.stdout;
}
